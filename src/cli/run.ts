import type { Command } from 'commander';
import { readDockConfig } from '../adapters/fs/config-file.ts';
import { PinoLogger } from '../adapters/node/pino-logger.ts';
import { composeDock } from '../main.ts';
import { untilSignal } from './until-signal.ts';

export function addRunCommand(program: Command): void {
  program
    .command('run')
    .description('Run the dock on this hardware until it is told to stop.')
    .requiredOption('--config <file>', 'the configuration of this dock (JSON)')
    .action(async (options: { config: string }) => {
      const config = await readDockConfig(options.config);
      const logger = new PinoLogger({ level: config.logLevel });
      const { dock } = await composeDock(config, { logger });
      const stopped = untilSignal();
      await dock.start();
      logger.info('dock-started', { dock: config.dockId, bays: config.board.bays.length });
      logger.info('dock-stopping', { signal: await stopped });
      await dock.stop();
    });
}
