/** `npm run destroy`: docs/deploy.md */
import { destroy, USAGE } from "./cloudflare/commands/destroy.ts";
import { thisWorld } from "./cloudflare/world.ts";
import { command } from "./installation/command.ts";

await command(USAGE, () => destroy(process.argv.slice(2), thisWorld()));
