/**
 * A Bot API at its HTTP edge: it keeps chats as Telegram does, refuses what Telegram refuses, and fails on request.
 * https://core.telegram.org/bots/api
 */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { buttonsOf, readBody, type Refusal, refusal, success, understand } from "./telegram-wire.ts";

const DOWNLOAD_BYTES_MAX = 20 * 1024 * 1024;

export interface ShownMessage {
  id: number;
  chatId: string;
  /** What a person reads: the text after its markup was understood. */
  text: string;
  /** What was sent. */
  markup: string;
  edits: number;
  silent: boolean;
  /** The topic of a forum that it was sent to. */
  threadId: string | null;
  /** What the buttons under it send back. */
  buttons: readonly string[];
  /** The message that it answers. */
  answers: number | null;
  /** What was attached; its name is the message's text then. */
  file?: { method: string; name: string; bytes: Buffer };
}

export interface ApiCall {
  method: string;
  chatId: string;
  body: Record<string, unknown>;
  at: number;
}

/** What to do with a call instead of serving it; `undefined` serves it. */
export type Fault =
  | Refusal
  /** Carried out, and then the connection is cut: the caller never hears of it. */
  | "cut after"
  /** Cut before anything was done. */
  | "cut before";

export class TelegramServer {
  /** Another takes its place when @BotFather is asked for one. */
  token = "4839574812:AAFD39kkdpWt3ywyRZergyOLMaJhac60qcA";
  readonly calls: ApiCall[] = [];
  readonly messages: ShownMessage[] = [];
  /** Called whenever a message is created or edited. */
  onShown: (message: ShownMessage) => void = () => undefined;
  /** Groups that have become supergroups, by their old ids. */
  readonly migrated = new Map<string, string>();
  /** Topics that somebody has deleted. */
  readonly goneThreads = new Set<string>();
  /** What people have sent, by file id. */
  readonly files = new Map<string, Buffer>();
  /** The ids of buttons that were pressed just now. */
  readonly pressed = new Set<string>();
  /** What setWebhook was told; an empty URL while there is none. */
  webhook: { url: string; [told: string]: unknown } = { url: "" };
  /** What setMyCommands was told. */
  menu: { command: string; description: string }[] = [];
  /** Asked before every call. */
  faultOf: (call: ApiCall) => Fault | undefined = () => undefined;
  private readonly server = createServer((request, response) => {
    void this.serve(request).then((answer) => {
      if (answer === "cut") return request.socket.destroy();
      if (!("status" in answer)) return response.end(answer);
      response
        .writeHead(answer.status, { "content-type": "application/json", ...answer.headers })
        .end(JSON.stringify(answer.body));
      return undefined;
    });
  });
  private nextId = 1;

  async listen(): Promise<string> {
    // Node's five seconds would cut connections that a client is about to use, and each cut is a doubt.
    this.server.keepAliveTimeout = 120_000;
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return this.url;
  }

  get url(): string {
    const address = this.server.address() as AddressInfo;
    return `http://127.0.0.1:${address.port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  reset(): void {
    this.calls.length = 0;
    this.messages.length = 0;
    this.migrated.clear();
    this.files.clear();
    this.goneThreads.clear();
    this.pressed.clear();
    this.webhook = { url: "" };
    this.menu = [];
    this.faultOf = () => undefined;
  }

  /** Shows what another run of it has shown. */
  adopt(messages: readonly ShownMessage[]): void {
    this.messages.push(...messages);
    this.nextId = Math.max(this.nextId, ...messages.map(({ id }) => id + 1));
  }

  /** Messages whose text has become the answer: each was created once and edited since. */
  answersIn(chatId: string | number): ShownMessage[] {
    return this.messages.filter((message) => message.chatId === String(chatId) && message.edits > 0);
  }

  in(chatId: string | number): ShownMessage[] {
    return this.messages.filter((message) => message.chatId === String(chatId));
  }

  private async serve(request: IncomingMessage) {
    const [, key, path] = /^\/file\/bot([^/]+)\/(.+)$/.exec(request.url ?? "") ?? [];
    if (path !== undefined) {
      const fault = this.faultOf({ method: "download", chatId: "", body: { path }, at: Date.now() });
      if (typeof fault === "object") return refusal(fault);
      return (
        (key === this.token && this.files.get(path)) || refusal({ status: 404, description: "Not Found" })
      );
    }
    const [, token, method = ""] = /^\/bot([^/]+)\/(\w+)$/.exec(request.url ?? "") ?? [];
    if (token !== this.token) return refusal({ status: 401, description: "Unauthorized" });
    const body = await readBody(request);
    const call = { method, chatId: String(body["chat_id"]), body, at: Date.now() };
    this.calls.push(call);
    const movedTo = this.migrated.get(call.chatId);
    if (movedTo !== undefined) {
      const description = "Bad Request: group chat was upgraded to a supergroup chat";
      return refusal({ status: 400, description, parameters: { migrate_to_chat_id: Number(movedTo) } });
    }
    if (this.goneThreads.has(String(body["message_thread_id"])))
      return refusal({ status: 400, description: "Bad Request: message thread not found" });
    const fault = this.faultOf(call);
    if (fault === "cut before") return "cut" as const;
    if (typeof fault === "object") return refusal(fault);
    const answer = this.answer(call);
    return fault === "cut after" ? ("cut" as const) : answer;
  }

  private answer({ method, chatId, body }: ApiCall) {
    switch (method) {
      case "getMe":
        return success({
          id: 4_839_574_812,
          is_bot: true,
          first_name: "Errand",
          username: "errand_test_bot",
        });
      case "sendChatAction":
        return success(true);
      case "getWebhookInfo":
        return success({ has_custom_certificate: false, pending_update_count: 0, ...this.webhook });
      case "setWebhook":
        this.webhook = { ...body, url: String(body["url"]) };
        return success(true);
      case "deleteWebhook":
        this.webhook = { url: "" };
        return success(true);
      case "setMyCommands":
        this.menu = body["commands"] as { command: string; description: string }[];
        return success(true);
      case "sendMessage": {
        const text = understand(body);
        if (typeof text !== "string") return text;
        const id = this.nextId++;
        const message = {
          id,
          chatId,
          text,
          markup: String(body["text"]),
          edits: 0,
          silent: body["disable_notification"] === true,
          threadId: body["message_thread_id"] === undefined ? null : String(body["message_thread_id"]),
          buttons: buttonsOf(body),
          answers: (body["reply_parameters"] as { message_id: number } | undefined)?.message_id ?? null,
        };
        this.messages.push(message);
        this.onShown(message);
        return success({ message_id: id, date: 1, chat: { id: Number(chatId), type: "private" }, text });
      }
      case "editMessageText": {
        const text = understand(body);
        if (typeof text !== "string") return text;
        const message = this.find(chatId, body["message_id"]);
        if (message === undefined)
          return refusal({ status: 400, description: "Bad Request: message to edit not found" });
        const buttons = buttonsOf(body);
        const isSame = message.text === text && message.markup === String(body["text"]);
        if (isSame && message.buttons.join() === buttons.join()) {
          return refusal({
            status: 400,
            description:
              "Bad Request: message is not modified: specified new message content and reply markup are exactly the same",
          });
        }
        Object.assign(message, { text, markup: String(body["text"]), buttons, edits: message.edits + 1 });
        this.onShown(message);
        return success({
          message_id: message.id,
          date: 1,
          chat: { id: Number(chatId), type: "private" },
          text,
        });
      }
      case "getFile": {
        const id = String(body["file_id"]);
        const file = this.files.get(id);
        if (file === undefined)
          return refusal({
            status: 400,
            description: "Bad Request: wrong file_id or the file is temporarily unavailable",
          });
        if (file.byteLength > DOWNLOAD_BYTES_MAX)
          return refusal({ status: 400, description: "Bad Request: file is too big" });
        return success({ file_id: id, file_unique_id: id, file_size: file.byteLength, file_path: id });
      }
      case "sendPhoto":
      case "sendDocument": {
        const file = body["file"];
        if (!(file instanceof File))
          return refusal({ status: 400, description: "Bad Request: there is no file in the request" });
        if (method === "sendPhoto" && !file.name.endsWith(".png"))
          return refusal({ status: 400, description: "Bad Request: IMAGE_PROCESS_FAILED" });
        const id = this.nextId++;
        const attached = { method, name: file.name, bytes: Buffer.from(body["bytes"] as ArrayBuffer) };
        const threadId = body["message_thread_id"] === undefined ? null : String(body["message_thread_id"]);
        const message = {
          id,
          chatId,
          text: file.name,
          markup: "",
          edits: 0,
          silent: false,
          threadId,
          buttons: [],
          answers: null,
          file: attached,
        };
        this.messages.push(message);
        this.onShown(message);
        return success({ message_id: id, date: 1, chat: { id: Number(chatId), type: "private" } });
      }
      case "answerCallbackQuery":
        if (!this.pressed.has(String(body["callback_query_id"])))
          return refusal({
            status: 400,
            description: "Bad Request: query is too old and response timeout expired or query ID is invalid",
          });
        return success(true);
      case "deleteMessage": {
        const message = this.find(chatId, body["message_id"]);
        if (message === undefined)
          return refusal({ status: 400, description: "Bad Request: message to delete not found" });
        this.messages.splice(this.messages.indexOf(message), 1);
        return success(true);
      }
      default:
        return refusal({ status: 404, description: "Not Found" });
    }
  }

  private find(chatId: string, id: unknown): ShownMessage | undefined {
    return this.messages.find((message) => message.chatId === chatId && message.id === Number(id));
  }
}
