/** Leads HTTP to the hands: `{ method, args }` in, what it returns out; bytes as `{ $base64 }`. */
import type { HandsRpc } from "../../../shared/contracts/job.ts";
import { decodeBytes, encodeBytes } from "../bytes.ts";

interface Env {
  HANDS: HandsRpc;
}
type Asked = { [Name in keyof HandsRpc]: { method: Name; args: Parameters<HandsRpc[Name]> } }[keyof HandsRpc];

export default {
  async fetch(request, env): Promise<Response> {
    const asked = decodeBytes(await request.text()) as Asked;
    return new Response(encodeBytes(await ask(env.HANDS, asked)));
  },
} satisfies ExportedHandler<Env>;

function ask(hands: HandsRpc, asked: Asked): Promise<unknown> {
  switch (asked.method) {
    case "begin":
      return hands.begin(...asked.args);
    case "poll":
      return hands.poll(...asked.args);
    case "cancel":
      return hands.cancel(...asked.args);
    case "take":
      return hands.take(...asked.args);
    case "listFetched":
      return hands.listFetched(...asked.args);
  }
}
