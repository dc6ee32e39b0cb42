/** Where something was said, and by whom. */
import type { DecisionOf } from "../../../shared/store/decision.ts";

/** Where it was said, and is answered. */
export type Where = Omit<DecisionOf<"reply">, "kind" | "text">;

/** Who speaks. */
export interface Speaker {
  /** As the store and the audit name them. */
  readonly by: string;
  readonly isAdmin: boolean;
  /** Where several people talk, what is shown says who it was. */
  readonly name: string | undefined;
}
