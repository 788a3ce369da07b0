import test from 'ava';
import { ChatTemplate } from '../../lib/chat-template.js';
import { TemplateError } from '../../lib/errors.js';
import { chatTemplate } from '../support/fake-native.js';

const messages = [{ role: 'user', content: 'Hi' }];

const slow = '{% for i in range(30000) %}{% for j in range(30000) %}{% endfor %}{% endfor %}';

function render(source: string, addGenerationPrompt = true) {
  return new ChatTemplate(source, '<s>', '</s>').render(messages, addGenerationPrompt);
}

test.serial('a conversation is rendered with and without the beginning of an answer', async (t) => {
  t.is(await render(chatTemplate), '<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n');
  t.is(await render(chatTemplate, false), '<|im_start|>user\nHi<|im_end|>\n');
});

test.serial('templates see the texts of the special tokens', async (t) => {
  t.is(await render('{{ bos_token }}{{ messages[0].content }}{{ eos_token }}'), '<s>Hi</s>');
});

test.serial('templates can ask for the date', async (t) => {
  t.regex(await render("{{ strftime_now('%Y') }}"), /^\d{4}$/);
});

test.serial('what a template raises is the error’s text', async (t) => {
  await t.throwsAsync(render("{{ raise_exception('Roles must alternate') }}"), {
    instanceOf: TemplateError,
    code: 'ERR_TEMPLATE_FAILED',
    message: /Roles must alternate/,
  });
});

test.serial('a template that is no Jinja fails', async (t) => {
  await t.throwsAsync(render('{% for %}'), { instanceOf: TemplateError, code: 'ERR_TEMPLATE_FAILED' });
});

test.serial('a template that never ends is stopped, and the next one is rendered', async (t) => {
  const endless = '{% for i in range(1000000000) %}{% for j in range(1000000000) %}{% endfor %}{% endfor %}';
  await t.throwsAsync(render(slow), { instanceOf: TemplateError, code: 'ERR_TEMPLATE_TIMEOUT', message: /1000 ms/ });
  await t.throwsAsync(render(endless), { instanceOf: TemplateError });
  t.is(await render('fine'), 'fine');
});

test.serial('renderings behind a slow one have their own time', async (t) => {
  const stopped = render(slow);
  const waiting = Array.from({ length: 5 }, (_, index) => render(`text ${index}`));
  await t.throwsAsync(stopped, { code: 'ERR_TEMPLATE_TIMEOUT' });
  t.deepEqual(await Promise.all(waiting), ['text 0', 'text 1', 'text 2', 'text 3', 'text 4']);
});

test.serial('a template that makes too much text is refused', async (t) => {
  const long = `{% for i in range(2000) %}${'x'.repeat(200)}{% endfor %}`;
  await t.throwsAsync(render(long), { code: 'ERR_TEMPLATE_OUTPUT', message: /400000 characters/ });
});

test.serial('a long conversation may make a long text', async (t) => {
  const long = [{ role: 'user', content: 'word '.repeat(40_000) }];
  const text = await new ChatTemplate(chatTemplate, '', '').render(long, true);
  t.true(text.length > 200_000);
});

test.serial('without a template nothing is rendered and the error gives advice', async (t) => {
  const template = new ChatTemplate('', '', '');
  t.false(template.exists);
  await t.throwsAsync(template.render(messages, true), { code: 'ERR_NO_CHAT_TEMPLATE', message: /chatTemplate/ });
});

/** The order in which a slow rendering and then a second one of `template` end. */
async function orderBehindSlow(template: ChatTemplate): Promise<string[]> {
  const order: string[] = [];
  const note = (name: string) => () => order.push(name);
  await Promise.all([
    render(slow).catch(note('slow')),
    template.render(messages, true).then(note('again'), note('again')),
  ]);
  return order;
}

test.serial('the last renderings are remembered: they do not wait for the worker', async (t) => {
  const template = new ChatTemplate(chatTemplate, '', '');
  await template.render(messages, true);
  t.deepEqual(await orderBehindSlow(template), ['again', 'slow']);
});

test.serial('failed renderings are not remembered', async (t) => {
  const template = new ChatTemplate("{{ raise_exception('no') }}", '', '');
  await t.throwsAsync(template.render(messages, true));
  t.deepEqual(await orderBehindSlow(template), ['slow', 'again']);
});
