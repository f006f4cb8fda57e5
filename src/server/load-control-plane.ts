/** Loads the control plane, after readers are answered, because it imports all endpoints and schemas. */
export function loadControlPlane(): Promise<typeof import('../views/control-plane.ts')> {
  return import('../views/control-plane.ts');
}
