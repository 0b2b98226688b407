/** Says honestly that there is nothing to choose from yet. */
export function PluginsNote() {
  return <p className="text-muted">No plugin is enabled in this workspace, so there is none to assign.</p>;
}
