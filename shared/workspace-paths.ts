/** Paths of a workspace: relative, and the same for every system. A path is a file's or a folder's, never both. */
import { LIMITS } from "./limits.ts";
import { readPath } from "./policy/patterns.ts";

export const PATH_WORDS =
  "a path is relative, without .. and without control characters, such as reports/june.csv";

/** As it is kept; null for one that leads out of the workspace, or that two systems would read in two ways. */
export function normalizePath(path: string): string | null {
  return readPath(path)?.join("/") ?? null;
}

/** Of these paths the one that is a folder of the path, or a file in it: what stands in the way of a file there. */
export function findClash(paths: readonly string[], path: string): string | null {
  return paths.find((one) => path.startsWith(`${one}/`) || one.startsWith(`${path}/`)) ?? null;
}

/** Why so much cannot come back from a sandbox; null where it can. */
export function describeTooMuch(files: number, bytes: number): string | null {
  if (files <= LIMITS.workspace_files_max && bytes <= LIMITS.sandbox_bytes_max) return null;
  return `it has written ${files} files of ${Math.ceil(bytes / 1024 ** 2)} MiB together, and ${LIMITS.workspace_files_max} files of ${LIMITS.sandbox_bytes_max / 1024 ** 2} MiB can be kept`;
}

export const WORKSPACE_FULL = `the workspace holds ${LIMITS.workspace_files_max} files of ${LIMITS.workspace_bytes_max / 1024 ** 2} MiB together at most: delete some first`;
