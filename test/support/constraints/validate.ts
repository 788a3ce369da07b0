// The second opinion on a constrained answer: Ajv as it comes, with its own regular expressions and with formats.
import { Ajv2020 } from 'ajv/dist/2020.js';

const isDay = (text: string) => {
  const time = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
};
const time = /^([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;
const formats = {
  date: (text: string) => /^\d{4}-\d\d-\d\d$/.test(text) && isDay(text),
  time,
  'date-time': (text: string) => isDay(text.slice(0, 10)) && text[10] === 'T' && time.test(text.slice(11)),
  uuid: /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i,
};

/** What is wrong with the text; 'oneOf' where that is all, which no grammar can prevent. */
export function findIssue(schema: object, text: string): string | undefined {
  // A format beside a pattern is an annotation.
  const ajv = new Ajv2020({
    meta: false,
    validateSchema: false,
    strict: false,
    logger: false,
    ownProperties: true,
    allErrors: true,
    formats,
  });
  const validate = ajv.compile(schema);
  if (validate(JSON.parse(text))) return undefined;
  const errors = validate.errors!.filter(({ keyword }) => !['anyOf', 'if'].includes(keyword));
  if (errors.some(({ keyword }) => keyword === 'oneOf') && matchesTwice(validate.errors!)) return 'oneOf';
  return `${text} is not valid: ${ajv.errorsText(validate.errors)}`;
}

const matchesTwice = (errors: readonly { keyword: string; params: object }[]) =>
  errors.some(
    ({ keyword, params }) =>
      keyword === 'oneOf' && Array.isArray((params as { passingSchemas?: unknown }).passingSchemas),
  );

/** Whether a JSON pointer with a `#` before it leads to something. */
export function resolvesIn(root: unknown, pointer: string): boolean {
  const [hash, ...keys] = pointer.split('/');
  if (hash !== '#') return false;
  let at = root;
  for (const key of keys.map((step) => step.replace(/~1/g, '/').replace(/~0/g, '~'))) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return false;
    at = (at as Record<string, unknown>)[key];
  }
  return true;
}
