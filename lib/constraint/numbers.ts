// Ranges of numbers as GBNF, digit by digit.

const mostDigits = 16; // Of an integer without an upper bound: doubles have no more.

/** Integers from `low` (at least 0) to `high`, both included; Infinity = no bound. Precondition: low ≤ high. */
function naturalRange(low: number, high: number): string {
  const longest = high === Infinity ? mostDigits : digitsOf(high).length;
  const lengths = Array.from({ length: longest - digitsOf(low).length + 1 }, (_, i) => digitsOf(low).length + i);
  return lengths
    .map((length) => {
      const first = length === digitsOf(low).length ? digitsOf(low) : `1${'0'.repeat(length - 1)}`;
      const last = length === longest && high !== Infinity ? digitsOf(high) : '9'.repeat(length);
      return sameLength(first, last);
    })
    .join(' | ');
}

const digitsOf = (value: number) => BigInt(value).toString();

/** Both ends have as many digits. */
function sameLength(low: string, high: string): string {
  if (low === '') return '""';
  if (/^0*$/.test(low) && /^9*$/.test(high)) return `[0-9]{${low.length}}`;
  const rest = low.length - 1;
  if (low[0] === high[0]) return rest === 0 ? `"${low}"` : `"${low[0]}" (${sameLength(low.slice(1), high.slice(1))})`;
  if (rest === 0) return `[${low}-${high}]`;
  const [from, to] = [Number(low[0]) + 1, Number(high[0]) - 1];
  return [
    `"${low[0]}" (${sameLength(low.slice(1), '9'.repeat(rest))})`,
    ...(from <= to ? [`[${from}-${to}] [0-9]{${rest}}`] : []),
    `"${high[0]}" (${sameLength('0'.repeat(rest), high.slice(1))})`,
  ].join(' | ');
}

/** Integers, negative ones too; ±Infinity = no bound. undefined = there are none. */
export function integerRange(low: number, high: number): string | undefined {
  if (low > high) return undefined;
  const ways: string[] = [];
  if (low < 0) ways.push(`"-" (${naturalRange(Math.max(1, -high), -low)})`);
  if (high >= 0) ways.push(naturalRange(Math.max(0, low), high));
  return ways.join(' | ');
}

export interface Bounds {
  /** Integers or ±Infinity. */
  low: number;
  high: number;
  excludesLow: boolean;
  excludesHigh: boolean;
}

/** Decimal numbers between integer bounds. undefined = there are none. */
export function realRange({ low, high, excludesLow, excludesHigh }: Bounds): string | undefined {
  const isEmpty = low > high || (low === high && (excludesLow || excludesHigh));
  if (isEmpty) return undefined;
  const ways: string[] = [];
  if (low < 0) {
    const magnitudes = positiveRange(Math.max(0, -high), -low, high >= 0 || excludesHigh, excludesLow);
    if (magnitudes) ways.push(`"-" (${magnitudes})`);
  }
  if (high >= 0)
    ways.push(...[positiveRange(Math.max(0, low), high, low >= 0 && excludesLow, excludesHigh)].filter(isText));
  return ways.length === 0 ? undefined : ways.join(' | ');
}

const isText = (text: string | undefined): text is string => text !== undefined;

const exactDigits = 15; // Numbers of so many digits are different doubles where they differ (DBL_DIG).

/** How many digits may follow so that what is beside an excluded bound isn't rounded to it. */
const fractionBeside = (bound: number) => Math.max(0, exactDigits - digitsOf(bound).length);

const fraction = (most: number) => (most === 0 ? '' : ` ("." [0-9]{1,${most}})?`);

/** `low` at least 0. A number's integer part is below `high`, or it is `high` itself. */
function positiveRange(low: number, high: number, excludesLow: boolean, excludesHigh: boolean): string | undefined {
  const ways: string[] = [];
  if (low < high) {
    const most = high === Infinity ? exactDigits : fractionBeside(high);
    const beside = Math.min(most, fractionBeside(low));
    if (excludesLow && beside > 0) ways.push(`"${digitsOf(low)}." [0-9]{0,${beside - 1}} [1-9]`);
    const whole = excludesLow ? low + 1 : low;
    if (whole <= high - 1) ways.push(`(${naturalRange(whole, high - 1)})${fraction(most)}`);
  }
  const reachesHigh = high !== Infinity && !excludesHigh && !(low === high && excludesLow);
  if (reachesHigh) ways.push(`"${digitsOf(high)}" ("." "0"{1,15})?`);
  return ways.length === 0 ? undefined : ways.join(' | ');
}
