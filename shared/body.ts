/** Bodies of requests and responses, read up to a bound. */

export interface Body {
  bytes: Uint8Array<ArrayBuffer>;
  /** The bytes as UTF-8, or null when they are not. */
  text: string | null;
  /** There was more than the bound: `bytes` holds the beginning. */
  cut: boolean;
}

/** Reads at most `maxBytes` of a body, whatever its Content-Length claims. */
export async function readBody(
  { body }: { body: ReadableStream<Uint8Array> | null },
  maxBytes: number,
): Promise<Body> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    chunks.push(chunk);
    size += chunk.byteLength;
    // Leaving the loop cancels the stream.
    if (size > maxBytes) break;
  }
  const cut = size > maxBytes;
  const bytes = join(chunks, Math.min(size, maxBytes));
  return { bytes, text: decode(bytes), cut };
}

function join(chunks: readonly Uint8Array[], size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    const part = chunk.subarray(0, size - offset);
    bytes.set(part, offset);
    offset += part.byteLength;
  }
  return bytes;
}

function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    return null;
  }
}
