import type { EntryBody } from '../core/custody/entry.ts';
import { type AlarmCode, parseAlarmCode } from '../core/dock/alarms.ts';
import type { BayState, BayStatus } from '../core/dock/bay-state.ts';
import { asDockError, DockError } from '../core/errors.ts';
import type { BoardFault } from '../ports/board.ts';
import { type ActiveAlarm, Alarms } from './alarms.ts';
import { BaySupervisor } from './bay-supervisor.ts';
import { Checkpointing } from './checkpointing.ts';
import type { DockDeps } from './dock-deps.ts';
import { IngestQueue } from './ingest-queue.ts';
import { composeOrders, type Orders } from './orders.ts';
import { StatusPublisher } from './publish-status.ts';
import { recover } from './recover.ts';

const CORES_UNKNOWN = 4;
const CLOCK_OFFSET_MS_MAX = 300_000;

/**
 * The whole dock. Starts what tells people first, then the evidence, then the bays, and stops in reverse. A dock whose evidence cannot be opened still
 * starts: it takes no clips, and its lights and alarms say so.
 */
export class Dock {
  readonly #deps: DockDeps;
  readonly #alarms: Alarms;
  readonly #publisher: StatusPublisher;
  readonly #checkpointing: Checkpointing | undefined;
  readonly #orders: Orders | undefined;
  readonly #bays: readonly BaySupervisor[];
  #halt: AlarmCode | undefined;
  #isOpen = false;

  constructor(deps: DockDeps) {
    this.#deps = deps;
    const { evidence, board, link } = deps;
    this.#alarms = new Alarms(evidence.clock, (code, alarm) => {
      this.#onAlarm(code, alarm);
    });
    const { cores = CORES_UNKNOWN, ingestsMax: most } = deps;
    const queue = new IngestQueue(evidence.clock, { bays: deps.bays.length, cores, most });
    this.#bays = deps.bays.map(
      (bay) =>
        new BaySupervisor(bay, {
          ...{ evidence, link, board, queue, alarms: this.#alarms },
          cameraClockOffsetMsMax: deps.cameraClockOffsetMsMax ?? CLOCK_OFFSET_MS_MAX,
          onStatus: (status) => this.#onStatus(status),
          onProgress: (number, state) => this.#onProgress(number, state),
          onEvent: (kind, body) => this.#onEvent(kind, body),
          halted: () => this.#halt,
          onHalt: (error) => this.#haltFor(error),
        }),
    );
    this.#checkpointing = this.#composeCheckpointing();
    this.#orders = composeOrders(deps, (error) => this.#haltFor(error));
    this.#publisher = new StatusPublisher({
      ...(this.#checkpointing === undefined ? {} : { checkpointing: this.#checkpointing }),
      ...{ broker: deps.broker, evidence, version: deps.version, description: deps.description },
      bays: this.#bays,
      halted: () => this.#halt,
    });
  }

  get halted(): AlarmCode | undefined {
    return this.#halt;
  }

  async start(): Promise<void> {
    this.#checkpointing?.listen();
    this.#orders?.listen();
    await this.#startBoard();
    await this.#startPublisher();
    try {
      await this.#openEvidence();
    } catch (error) {
      this.#haltFor(asDockError(error, 'VAULT_UNWRITABLE', 'the evidence cannot be opened'));
    }
    for (const bay of this.#bays) bay.start();
    for (const { bay } of this.#bays) this.#sensorsOf(bay);
    this.#publisher.dockChanged();
  }

  /** Goes on past a part that fails; throws what failed first. */
  async stop(): Promise<void> {
    const failures: unknown[] = [];
    const attempt = async (part: () => Promise<unknown>): Promise<void> => {
      try {
        await part();
      } catch (error) {
        failures.push(error);
      }
    };
    await Promise.all(this.#bays.map((bay) => attempt(() => bay.stop())));
    await attempt(() => this.#deps.board.stop());
    await attempt(() => this.#closeEvidence());
    await attempt(() => this.#publisher.stop());
    if (failures.length > 0) throw failures[0];
  }

  async #startBoard(): Promise<void> {
    try {
      const faults = await this.#deps.board.start({
        onPress: (bay, press) => this.#bayOf(bay)?.press(press),
        onSensors: (bay, sensors) => this.#bayOf(bay)?.sensors(sensors),
        onFault: (fault) => this.#onFault(fault),
      });
      for (const fault of faults) this.#onFault(fault);
    } catch (error) {
      const { message } = asDockError(error, 'GPIO_UNAVAILABLE', 'the board did not start');
      this.#onFault({ code: 'GPIO_UNAVAILABLE', message, action: 'Check the board file.' });
    }
  }

  /** A dock whose status goes nowhere still takes clips. */
  async #startPublisher(): Promise<void> {
    try {
      await this.#publisher.start((connected) => this.#onBroker(connected));
    } catch (error) {
      const { code, message } = asDockError(error, 'BROKER_REFUSED', 'the status is not published');
      this.#deps.evidence.logger.error('status-not-published', { code, why: message });
      this.#alarms.raise('BROKER_REFUSED', 'dock');
    }
  }

  async #openEvidence(): Promise<void> {
    const { vault, custody, dock } = this.#deps.evidence;
    const { tornBytes } = await custody.open();
    this.#isOpen = true;
    const { dock: opened } = custody.state;
    if (opened !== undefined && opened !== dock) {
      throw new DockError('KEY_INVALID', `the data folder belongs to dock ${opened}`, {
        action: 'Give this dock a data folder of its own.',
      });
    }
    custody.onChange(() => {
      this.#publisher.dockChanged();
      this.#checkpointing?.changed();
    });
    this.#checkpointing?.begin();
    await custody.append(this.#firstEntries(tornBytes));
    this.#checkpointing?.start();
    if (tornBytes > 0) this.#alarms.raise('CUSTODY_REPAIRED', 'dock');
    await vault.start();
    await this.#orders?.resume();
    await this.#recover();
    await this.#orders?.open();
    await custody.saveCache();
  }

  /** Before anything that can fail, so that whatever the bays record comes after the log's opening. */
  #firstEntries(tornBytes: number): EntryBody[] {
    const { evidence, version, retentionDays } = this.#deps;
    const { dock, custody, keys } = evidence;
    const { dock: opened, stopped: clean } = custody.state;
    const entries: EntryBody[] = [];
    if (opened === undefined) {
      entries.push({
        kind: 'log-opened',
        dock,
        manifestKey: keys.manifest.publicKey,
        receiptKey: keys.receipt.publicKey,
        linkKey: keys.link.publicKey,
      });
    }
    entries.push({ kind: 'dock-started', version, clean, retentionDays });
    if (tornBytes > 0) entries.push({ kind: 'custody-repaired', tornBytes });
    return entries;
  }

  /** Alarms that only a person ends come back with every start. */
  async #recover(): Promise<void> {
    const { evidence } = this.#deps;
    const found = await recover(evidence);
    for (const { clip, state } of evidence.custody.state.clips.values()) {
      if (state === 'missing') this.#alarms.raise('CLIP_MISSING', clip);
      if (state === 'quarantined') this.#alarms.raise('CLIP_QUARANTINED', clip);
    }
    evidence.logger.info('recovered', {
      draftsRemoved: found.draftsRemoved,
      draftsKept: found.draftsKept,
      clipsRecovered: found.clipsRecovered,
      clipsQuarantined: found.clipsQuarantined.length,
      clipsMissing: found.clipsMissing.length,
    });
  }

  async #closeEvidence(): Promise<void> {
    const { custody, vault, index } = this.#deps.evidence;
    if (!this.#isOpen) return;
    await this.#orders?.stop();
    try {
      await index.unfinished.stop();
      if (this.#halt === undefined) {
        await custody.append([{ kind: 'dock-stopped' }]);
        await this.#checkpointing?.finish();
      }
    } finally {
      await this.#checkpointing?.stop();
      await vault.stop();
      await custody.close();
    }
  }

  #composeCheckpointing(): Checkpointing | undefined {
    const { evidence, broker, witness } = this.#deps;
    if (broker === undefined || witness === undefined) return undefined;
    return new Checkpointing({
      ...{ evidence, broker, witness },
      onAlarm: (code, isRaised) => {
        if (isRaised) this.#alarms.raise(code, 'dock');
        else this.#alarms.clear(code, 'dock');
      },
      onCosigned: () => this.#publisher.dockChanged(),
      onFailure: (error) => this.#haltFor(error),
    });
  }

  /** The first reason stays: what follows it is its consequence. */
  #haltFor(error: DockError): void {
    const code = parseAlarmCode(error.code) ?? 'DOCK_FAILED';
    if (this.#halt === code) return;
    this.#deps.evidence.logger.error('dock-halted', { code: error.code, why: error.message });
    this.#alarms.raise(code, 'dock');
    if (this.#halt !== undefined) return;
    this.#halt = code;
    for (const bay of this.#bays) bay.input({ kind: 'waiting', code });
    this.#publisher.dockChanged();
  }

  #onStatus(status: BayStatus): void {
    this.#publisher.bayChanged(status.bay);
    this.#deps.observer?.onBay?.(status);
  }

  #onProgress(bay: number, state: BayState): void {
    this.#publisher.bayChanged(bay);
    this.#deps.observer?.onProgress?.(bay, state);
  }

  #onEvent(kind: string, body: Readonly<Record<string, string | number>>): void {
    this.#publisher.event(kind, body);
    this.#deps.observer?.onEvent?.(kind, body);
  }

  #onAlarm(code: AlarmCode, alarm: ActiveAlarm | undefined): void {
    const { evidence, observer } = this.#deps;
    if (alarm === undefined) evidence.logger.info('alarm-over', { code });
    else evidence.logger.warn('alarm', { code, bays: alarm.bays.join(' ') });
    this.#publisher.alarm(code, alarm);
    observer?.onAlarm?.(code, alarm !== undefined);
  }

  #onFault(fault: BoardFault): void {
    this.#deps.evidence.logger.warn('board-fault', { code: fault.code, why: fault.message });
    this.#alarms.raise(fault.code, fault.message);
  }

  #onBroker(connected: boolean): void {
    if (connected) this.#alarms.clear('BROKER_UNREACHABLE', 'dock');
    else this.#alarms.raise('BROKER_UNREACHABLE', 'dock');
  }

  #sensorsOf(bay: number): void {
    this.#bayOf(bay)?.sensors(this.#deps.board.sensors(bay));
  }

  #bayOf(bay: number): BaySupervisor | undefined {
    return this.#bays.find((supervisor) => supervisor.bay === bay);
  }
}
