// Which rules of a schema never come to an end: those that always contain themselves, and those that are themselves.

/** One way to write a value, and the rules whose values it always contains. */
export interface Alternative {
  text: string;
  needs: readonly string[];
  /** The value is that of the one rule it needs. */
  isReference?: true;
}

type Rules = ReadonlyMap<string, readonly Alternative[]>;
type Names = ReadonlySet<string>;

/** A rule that only matches texts without an end, and that `root` always contains; undefined where `root` can end. */
export function findEndless(rules: Rules, root: string): string | undefined {
  const canEnd = ({ needs }: Alternative, endless: Names) => !needs.some((name) => endless.has(name));
  const endless = remaining(rules, (rule, rest) => rules.get(rule)!.some((alternative) => canEnd(alternative, rest)));
  return endless.has(root) ? findRepeated(root, endless, (rule) => rules.get(rule)![0].needs) : undefined;
}

/** A rule that refers to itself with nothing between: who validates a value by it never comes back. */
export function findLoop(rules: Rules): string | undefined {
  const targets = new Map([...rules].map(([rule, alternatives]) => [rule, targetsOf(alternatives)]));
  const looping = remaining(rules, (rule, rest) => !targets.get(rule)!.some((name) => rest.has(name)));
  const [first] = looping;
  return first === undefined ? undefined : findRepeated(first, looping, (rule) => targets.get(rule)!);
}

function targetsOf(alternatives: readonly Alternative[]): readonly string[] {
  return alternatives.filter(({ isReference }) => isReference).flatMap(({ needs }) => needs);
}

/** The rules that never pass, however many others have; most wait for rules behind them. */
function remaining(rules: Rules, passes: (rule: string, rest: Names) => boolean): Names {
  const backwards = [...rules.keys()].reverse();
  const rest = new Set(backwards);
  for (let size = -1; size !== rest.size;) {
    size = rest.size;
    for (const rule of rest) if (passes(rule, rest)) rest.delete(rule);
  }
  return rest;
}

/** Where a walk within the set comes to a second time. Precondition: each rule of the set is followed by one of it. */
function findRepeated(start: string, set: Names, following: (rule: string) => readonly string[]): string {
  const seen = new Set<string>();
  let rule = start;
  while (!seen.has(rule)) {
    seen.add(rule);
    rule = following(rule).find((name) => set.has(name))!;
  }
  return rule;
}
