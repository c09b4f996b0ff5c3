/** The published light table (one row a name): what an officer sees, and what it means. */
export type LightName =
  | 'off'
  | 'steady-green'
  | 'slow-amber'
  | 'green-double-blink'
  | 'fast-red'
  | 'steady-amber';
