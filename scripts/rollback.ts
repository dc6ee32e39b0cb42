/** `npm run rollback`: docs/deploy.md */
import { rollback, USAGE } from "./cloudflare/commands/rollback.ts";
import { thisWorld } from "./cloudflare/world.ts";
import { command } from "./installation/command.ts";

await command(USAGE, () => rollback(process.argv.slice(2), thisWorld()));
