declare module 'node-gyp-build' {
  function build(directory: string): unknown;
  namespace build {
    /** Returns the file that `build` would load. Throws if there is none. */
    function path(directory: string): string;
  }
  export = build;
}
