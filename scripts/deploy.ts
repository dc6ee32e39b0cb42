/** `npm run deploy`: Errand on Cloudflare, the first time and every time after. docs/deploy.md */
import { deploy, USAGE } from "./cloudflare/commands/deploy.ts";
import { thisWorld } from "./cloudflare/world.ts";
import { command } from "./installation/command.ts";

await command(USAGE, () => deploy(process.argv.slice(2), thisWorld()));
