// Vega-Lite specifications → SVG files. The same rows give the same bytes: nothing is random, texts are measured by rule.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse, View } from 'vega';
import { compile } from 'vega-lite';

export function renderSvg(specification) {
  return new View(parse(compile({ background: 'white', ...specification }).spec), { renderer: 'none' }).toSVG();
}

/** Returns the paths that were written. */
export async function writePlots(plots, folder) {
  mkdirSync(folder, { recursive: true });
  const files = [];
  for (const [name, specification] of Object.entries(plots)) {
    const file = path.join(folder, name);
    writeFileSync(file, `${await renderSvg(specification)}\n`);
    files.push(file);
  }
  return files;
}
