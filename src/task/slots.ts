/** The variable by which a step finds the number of the slot that its run holds of a resource. */
export function slotVariable(resource: string): string {
  return `SIGNALBOX_SLOT_${resource.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`;
}
