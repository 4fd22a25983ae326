// Chunks of the page: base64 of deflated columns, or of text.

function bytesOf(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const raw = atob(text), bytes = new Uint8Array(raw.length);
  for (let at = 0; at < raw.length; at++) bytes[at] = raw.charCodeAt(at);
  return bytes;
}

const parsed = new Promise((done) => {
  if (document.readyState !== "loading") done();
  else addEventListener("DOMContentLoaded", done, { once: true });
});

// The columns of a chunk, each as numbers.
export async function unpack(id) {
  return columnsOf(new Uint8Array(await (await inflated(id)).arrayBuffer()));
}

// What a chunk says as JSON.
export async function unpackJson(id) {
  return (await inflated(id)).json();
}

// The text of the chunk is not needed any more.
async function inflated(id) {
  let element = document.getElementById(id);
  // It is whole when something follows it.
  if (!element || !element.nextElementSibling) {
    await parsed;
    element = document.getElementById(id);
  }
  const bytes = bytesOf(element.textContent.trim());
  element.textContent = "";
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw")));
}

function columnsOf(bytes) {
  const columns = [];
  for (let at = 0; at < bytes.length;) {
    const rows = bytes[at] + bytes[at + 1] * 256 + bytes[at + 2] * 65536 + bytes[at + 3] * 16777216, width = bytes[at + 4];
    const values = new Float64Array(rows);
    at += 5;
    for (let place = 0, factor = 1; place < width; place++, factor *= 256, at += rows) {
      for (let row = 0; row < rows; row++) values[row] += bytes[at + row] * factor;
    }
    columns.push(values);
  }
  return columns;
}

// 0, 1, 2, 3, … as 0, -1, 1, -2, …
export function unfold(value) {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}
