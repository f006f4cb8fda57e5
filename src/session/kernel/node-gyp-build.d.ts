declare module 'node-gyp-build' {
  function build(directory: string): unknown;
  namespace build {
    /** The file that would be loaded; throws if there is none. */
    function path(directory: string): string;
  }
  export = build;
}
