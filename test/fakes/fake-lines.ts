import type { GpioLines, InputLine, OutputLine } from '../../src/adapters/gpio/lines.ts';

interface FakeLine {
  level: boolean;
  isOpen: boolean;
  onEdge: (() => void) | undefined;
  fault: Error | undefined;
}

/** GPIO in memory. Levels are as the board sees them: true is lit or closed. */
export class FakeLines implements GpioLines {
  isAccessible = true;
  readonly #lines = new Map<number, FakeLine>();

  openOutput(number: number, _activeLow: boolean): OutputLine {
    const line = this.#open(number);
    line.level = false;
    return {
      write: (isOn) => {
        this.#check(line);
        line.level = isOn;
      },
      close: () => this.#close(line),
    };
  }

  openInput(number: number, _activeLow: boolean, onEdge: () => void): InputLine {
    const line = this.#open(number);
    line.onEdge = onEdge;
    return {
      read: () => {
        this.#check(line);
        return line.level;
      },
      close: () => this.#close(line),
    };
  }

  levelOf(number: number): boolean {
    return this.#line(number).level;
  }

  set(number: number, level: boolean): void {
    this.setWithoutEdge(number, level);
    this.#line(number).onEdge?.();
  }

  /** An edge that the kernel lost. */
  setWithoutEdge(number: number, level: boolean): void {
    this.#line(number).level = level;
  }

  fail(number: number, fault: Error): void {
    this.#line(number).fault = fault;
  }

  get openNumbers(): readonly number[] {
    return [...this.#lines].filter(([, line]) => line.isOpen).map(([number]) => number);
  }

  #open(number: number): FakeLine {
    const line = this.#line(number);
    this.#check(line);
    if (line.isOpen) throw new Error(`line ${number} is open`);
    line.isOpen = true;
    return line;
  }

  #close(line: FakeLine): void {
    line.isOpen = false;
    line.onEdge = undefined;
    this.#check(line);
  }

  #check(line: FakeLine): void {
    if (line.fault !== undefined) throw line.fault;
  }

  #line(number: number): FakeLine {
    const line = this.#lines.get(number) ?? {
      level: false,
      isOpen: false,
      onEdge: undefined,
      fault: undefined,
    };
    this.#lines.set(number, line);
    return line;
  }
}
