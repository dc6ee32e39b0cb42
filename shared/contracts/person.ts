/** Who may talk, and what they may decide. */
import * as z from "zod/mini";

/** An admin may admit a group. */
export const Role = z.enum(["member", "admin"]);
export type Role = z.infer<typeof Role>;

export const roleExample: Role = "member";
