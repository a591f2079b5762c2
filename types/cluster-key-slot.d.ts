/** Of the version that ioredis has: with types of its own there would be two of them, and commands go by ioredis's. */
declare module 'cluster-key-slot' {
  /** The slot of a cluster that a key or a channel belongs to: of its hash tag, or of all of it. */
  function slotOf(name: string): number;
  export = slotOf;
}
