// Run by test/lib/exit.test.ts: leaves a model, a prefix and a running request open, and the template's worker warm.
import { openFake } from './open-fake.js';

const { native, model } = await openFake();
await model.generate({ messages: [{ role: 'user', content: 'Hi' }] }).result();
await model.prefill({ prompt: 'x' });

const other = await openFake({ manual: true });
other.model.generate({ prompt: 'never stepped' });
console.log(`left open, ${native.submitted.length} requests`);
