import { writeFileSync } from 'node:fs';
import { boardJsonSchema } from '../../../src/core/config/board.ts';

const path = new URL('../../../boards/board.schema.json', import.meta.url);
writeFileSync(path, `${JSON.stringify(boardJsonSchema(), null, 2)}\n`);
