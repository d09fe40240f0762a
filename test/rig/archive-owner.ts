const why = "skopeo gives unpacked files to the archive's owner, root, which only root may";

/** Whether tests in which skopeo reads an `oci-archive:` cannot run, and what their names say then. */
export const skopeoMayNotChown = process.getuid?.() !== 0;
export const becauseOfOwner = skopeoMayNotChown ? ` (not run: ${why})` : "";
