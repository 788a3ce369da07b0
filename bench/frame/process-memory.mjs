// What a process keeps in memory, in bytes: { residentBytes, anonymousBytes, peakBytes }.
import { readFileSync } from 'node:fs';

/** Of any process, on Linux; undefined where nobody tells. */
export function memoryOf(pid) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const read = (key) => {
      const kilobytes = status.match(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm'))?.[1];
      return kilobytes && Number(kilobytes) * 1024;
    };
    return { residentBytes: read('VmRSS'), anonymousBytes: read('RssAnon'), peakBytes: read('VmHWM') };
  } catch {
    return undefined;
  }
}

/** Of this process, everywhere; what is anonymous is told on Linux alone. */
export const ownMemory = () =>
  memoryOf(process.pid) ?? {
    residentBytes: process.memoryUsage().rss,
    peakBytes: process.resourceUsage().maxRSS * 1024,
  };
