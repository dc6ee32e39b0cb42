/** Calls that carry a credential, in a header or in the URL itself. */

/** The one who was asked sends elsewhere. Asking again would bring the same answer. */
export class RedirectError extends Error {
  override readonly name = "RedirectError";
}

/**
 * `fetch`, but no redirect is followed: the credential was meant for the host that was asked, not for the one that it names.
 * Rejects with a RedirectError, and otherwise as `fetch` does.
 */
export async function fetchDirect(
  input: Parameters<typeof fetch>[0],
  init?: Parameters<typeof fetch>[1],
): Promise<Response> {
  const response = await fetch(input, { ...init, redirect: "manual" });
  if (response.status < 300 || response.status > 399 || response.status === 304) return response;
  await response.body?.cancel();
  throw new RedirectError(
    `${hostOf(input)} answers with a redirect to ${hostOf(response.headers.get("location"), input)}, which is not followed with a credential`,
  );
}

/** The host only: paths may hold secrets. */
function hostOf(url: Parameters<typeof fetch>[0] | null, base?: Parameters<typeof fetch>[0]): string {
  try {
    return new URL(addressOf(url ?? ""), base === undefined ? undefined : addressOf(base)).host;
  } catch {
    return "nowhere";
  }
}

function addressOf(url: Parameters<typeof fetch>[0]): string {
  return url instanceof Request ? url.url : String(url);
}
