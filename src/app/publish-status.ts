import { ALARM_CODES, type AlarmCode } from '../core/dock/alarms.ts';
import type { BayState } from '../core/dock/bay-state.ts';
import { alarmBody, bayBody, type DescriptionBody, dockBody } from '../core/dock/status.ts';
import { alarmPath, bayPath, DESCRIPTION_PATH, DOCK_PATH, eventPath } from '../core/dock/topics.ts';
import { asDockError } from '../core/errors.ts';
import type { StatusBroker } from '../ports/status-broker.ts';
import type { VaultSpace } from '../ports/vault.ts';
import type { ActiveAlarm } from './alarms.ts';
import type { Checkpointing } from './checkpointing.ts';
import type { Evidence } from './evidence.ts';

export interface DockView {
  readonly broker: StatusBroker | undefined;
  readonly evidence: Evidence;
  readonly version: string;
  readonly description: DescriptionBody;
  readonly bays: readonly { readonly bay: number; readonly state: BayState }[];
  readonly halted: () => AlarmCode | undefined;
  /** It publishes the checkpoints itself. */
  readonly checkpointing?: Pick<Checkpointing, 'cosigned'>;
}

/** A dashboard needs no more, and eight bays reading at full speed change a thousand times a second. */
const CHANGE_PERIOD_MS = 500;
const HEARTBEAT_MS = 30_000;

/** Tells the centre how the dock is. Changes are gathered for half a second; the last of them is always sent. */
export class StatusPublisher {
  readonly #view: DockView;
  readonly #stopping = new AbortController();
  readonly #changedBays = new Set<number>();
  readonly #raised = new Set<AlarmCode>();
  readonly #sinceMs: number;
  #isDockChanged = false;
  #isStarted = false;
  #isGathering = false;
  #space: VaultSpace | undefined;
  #seq = 0;
  #checkpoint = '';
  #heartbeat: Promise<void> | undefined;

  constructor(view: DockView) {
    this.#view = view;
    this.#sinceMs = view.evidence.clock.nowMs();
  }

  async start(onConnected: (connected: boolean) => void): Promise<void> {
    const { broker, description } = this.#view;
    if (broker === undefined) return;
    broker.onConnectedChange(onConnected);
    broker.retain(DESCRIPTION_PATH, description);
    // A run that was killed could not take back what it had raised.
    for (const code of ALARM_CODES) if (!this.#raised.has(code)) this.alarm(code, undefined);
    this.#publishDock();
    for (const { bay } of this.#view.bays) this.#publishBay(bay);
    await broker.start();
    this.#heartbeat = this.#beat(() => onConnected(broker.connected));
  }

  dockChanged(): void {
    this.#isStarted = true;
    this.#isDockChanged = true;
    void this.#gather();
  }

  bayChanged(bay: number): void {
    this.#changedBays.add(bay);
    void this.#gather();
  }

  alarm(code: AlarmCode, alarm: ActiveAlarm | undefined): void {
    if (alarm === undefined) this.#raised.delete(code);
    else this.#raised.add(code);
    const body = alarm === undefined ? null : alarmBody(code, alarm);
    this.#view.broker?.retain(alarmPath(code), body);
  }

  /** `boot` and `seq` let a reader see a gap. */
  event(kind: string, body: Readonly<Record<string, string | number>>): void {
    const { broker, evidence } = this.#view;
    this.#seq += 1;
    const at = new Date(evidence.clock.nowMs()).toISOString();
    broker?.emit(eventPath(kind), { ...body, boot: evidence.boot, seq: this.#seq, at });
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the dock stops'));
    await this.#heartbeat;
    this.#flush();
    await this.#view.broker?.stop();
  }

  /** A broker that was never reached is told of no change; so each beat looks. */
  async #beat(look: () => void): Promise<void> {
    while (await this.#pause(HEARTBEAT_MS)) {
      look();
      this.#isDockChanged = true;
      await this.#measure();
      this.#flush();
    }
  }

  async #gather(): Promise<void> {
    if (this.#isGathering || this.#view.broker === undefined) return;
    this.#isGathering = true;
    if (this.#isDockChanged) await this.#measure();
    await this.#pause(CHANGE_PERIOD_MS);
    this.#isGathering = false;
    this.#flush();
  }

  /** False when the dock stops. */
  async #pause(ms: number): Promise<boolean> {
    const { signal } = this.#stopping;
    if (signal.aborted) return false;
    try {
      await this.#view.evidence.clock.delay(ms, signal);
      return true;
    } catch (error) {
      if (!signal.aborted) throw error;
      return false;
    }
  }

  async #measure(): Promise<void> {
    try {
      this.#space = await this.#view.evidence.vault.space();
    } catch (error) {
      this.#space = undefined;
      const { code } = asDockError(error, 'VAULT_UNWRITABLE', 'the disk cannot be asked');
      this.#view.evidence.logger.debug('space-unknown', { code });
    }
  }

  #flush(): void {
    if (this.#isDockChanged || this.#changedBays.size > 0) this.#publishDock();
    for (const bay of this.#changedBays) this.#publishBay(bay);
    this.#changedBays.clear();
    this.#isDockChanged = false;
  }

  #publishDock(): void {
    const { broker, evidence, version, bays, halted, checkpointing } = this.#view;
    const { counts, treeSize } = evidence.custody.state;
    const body = dockBody({
      ...{ isStarted: this.#isStarted, halted: halted(), version, counts, treeSize },
      bays: bays.map(({ state }) => state),
      storage: this.#space,
      cosigned: checkpointing?.cosigned,
      time: evidence.time.now(),
      boot: evidence.boot,
      sinceMs: this.#sinceMs,
      atMs: evidence.clock.nowMs(),
    });
    broker?.retain(DOCK_PATH, body);
    const { checkpoint } = evidence.custody;
    if (checkpointing !== undefined || checkpoint === this.#checkpoint) return;
    this.#checkpoint = checkpoint;
    broker?.retain('checkpoint', { note: checkpoint });
  }

  #publishBay(bay: number): void {
    const { broker, bays, evidence } = this.#view;
    const found = bays.find((candidate) => candidate.bay === bay);
    if (found !== undefined) {
      broker?.retain(bayPath(bay), bayBody(found.state, evidence.clock.nowMs()));
    }
  }
}
