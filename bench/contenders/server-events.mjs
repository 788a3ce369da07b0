// Server-sent events (WHATWG HTML, section 9.2.6) whose data is one line of JSON.

/** `body`: chunks of bytes, async iterable. */
export async function* readServerEvents(body) {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop();
    for (const line of lines) if (line.startsWith('data: {')) yield JSON.parse(line.slice('data: '.length));
  }
}
