import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Gpio } from 'onoff';
import { GPIO_ROOT } from './chips.ts';

export interface OutputLine {
  write(isOn: boolean): void;
  /** Gives the line back. */
  close(): void;
}

export interface InputLine {
  read(): boolean;
  close(): void;
}

/** What the board needs of GPIO, by sysfs number. Everything may throw what the kernel said. */
export interface GpioLines {
  readonly isAccessible: boolean;
  /** Off from the first moment. */
  openOutput(number: number, activeLow: boolean): OutputLine;
  openInput(number: number, activeLow: boolean, onEdge: () => void): InputLine;
}

/** onoff reads the line inside epoll's callback, where no one could catch what a vanished chip throws. */
class GuardedGpio extends Gpio {
  #lastLevel: 0 | 1 = 0;
  #isOpen = true;

  override readSync(): 0 | 1 {
    // onoff reads once inside its constructor, before the fields of this class are there.
    if (!(#lastLevel in this)) return super.readSync();
    if (!this.#isOpen) return this.#lastLevel;
    try {
      this.#lastLevel = super.readSync();
    } catch {
      // A vanished chip is ready for ever and would spin the event loop. The next read of the board tells the fault.
      this.unwatchAll();
    }
    return this.#lastLevel;
  }

  readNow(): 0 | 1 {
    this.#lastLevel = super.readSync();
    return this.#lastLevel;
  }

  override unexport(): void {
    this.#isOpen = false;
    super.unexport();
  }
}

export class OnoffLines implements GpioLines {
  get isAccessible(): boolean {
    return Gpio.accessible;
  }

  openOutput(number: number, activeLow: boolean): OutputLine {
    giveBack(number);
    // sysfs takes the first level raw, before active_low.
    const gpio = new GuardedGpio(number, activeLow ? 'high' : 'low', undefined, { activeLow });
    try {
      checkTaken(gpio, { number, direction: 'out', activeLow });
      gpio.writeSync(0);
    } catch (error) {
      gpio.unexport();
      throw error;
    }
    return {
      write: (isOn) => gpio.writeSync(isOn ? 1 : 0),
      close: () => gpio.unexport(),
    };
  }

  openInput(number: number, activeLow: boolean, onEdge: () => void): InputLine {
    giveBack(number);
    const gpio = new GuardedGpio(number, 'in', 'both', { activeLow });
    try {
      checkTaken(gpio, { number, direction: 'in', activeLow });
      gpio.watch(onEdge);
    } catch (error) {
      gpio.unexport();
      throw error;
    }
    return { read: () => gpio.readNow() === 1, close: () => gpio.unexport() };
  }
}

/**
 * A run that was killed leaves its lines exported, and onoff swallows every error of setting up an exported line: start from a
 * line that nobody holds.
 */
function giveBack(number: number): void {
  if (existsSync(join(GPIO_ROOT, `gpio${number}`))) {
    writeFileSync(join(GPIO_ROOT, 'unexport'), String(number));
  }
}

function checkTaken(
  gpio: Gpio,
  wanted: {
    readonly number: number;
    readonly direction: 'in' | 'out';
    readonly activeLow: boolean;
  },
): void {
  if (gpio.direction() !== wanted.direction || gpio.activeLow() !== wanted.activeLow) {
    throw new Error(`GPIO ${wanted.number} did not become an ${wanted.direction} line`);
  }
}
