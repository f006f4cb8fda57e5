/** Not before readers are answered: it brings the endpoints and their schemas along. */
export function loadControlPlane(): Promise<typeof import('../views/control-plane.ts')> {
  return import('../views/control-plane.ts');
}
