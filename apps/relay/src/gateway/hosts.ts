/**
 * Under which hosts this relay answers (docs/decisions/0038-who-may-speak-to-the-relay.md). A page of anybody's can
 * have its own name lead here (DNS rebinding), and its requests are then of one origin with ours for the browser: only
 * the Host that they name tells them apart.
 */
import type { IncomingMessage } from 'node:http';
import { hostNameOf, isAddress, isLoopback, listensOnLoopback } from '../config/host-names.js';

export interface HostSettings {
  /** the address that is listened on */
  readonly host: string;
  /** names that the operator has given, as hostNameOf writes them */
  readonly publicHosts: readonly string[];
}

/** Of a target in absolute form, which counts for more than the Host beside it (RFC 9112, 3.2.2). */
const ABSOLUTE = /^https?:\/\/(?:[^/?#@]*@)?([^/?#]*)/i;

export class AllowedHosts {
  readonly #names: ReadonlySet<string>;
  readonly #loopback: boolean;
  readonly #addresses: boolean;

  constructor({ host, publicHosts }: HostSettings) {
    const local = listensOnLoopback(host);
    // An address cannot be made to lead elsewhere, so that it is safe where no name has been given.
    const open = !local && publicHosts.length === 0;
    this.#names = new Set(publicHosts);
    this.#loopback = local || open;
    this.#addresses = open;
  }

  /** Whether names of hosts are refused only because none has been given, which the operator should know. */
  get unnamed(): boolean {
    return this.#addresses;
  }

  /** Whether all hosts that a request names are this relay's. */
  answer(request: IncomingMessage): boolean {
    return everyHost(request, (name) => this.#includes(name));
  }

  /**
   * The same for a question about health, which balancers and kubelets ask by the address of a pod, or without any Host
   * (HTTP/1.0): no browser does that on somebody else's behalf.
   */
  answerProbe(request: IncomingMessage): boolean {
    const named = request.headers.host !== undefined;
    return (
      !named || everyHost(request, (name) => isAddress(name) || isLoopback(name) || this.#includes(name))
    );
  }

  #includes(name: string): boolean {
    return (
      this.#names.has(name) || (this.#loopback && isLoopback(name)) || (this.#addresses && isAddress(name))
    );
  }
}

function everyHost({ headers, url = '' }: IncomingMessage, allowed: (name: string) => boolean): boolean {
  const named = [headers.host ?? '', ABSOLUTE.exec(url)?.[1]].filter((host) => host !== undefined);
  return named.every((host) => {
    const name = hostNameOf(host);
    return name !== null && allowed(name);
  });
}
