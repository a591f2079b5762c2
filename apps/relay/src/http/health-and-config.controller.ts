/** The relay's own paths over plain HTTP: its health for whoever balances or restarts it, its key for the page. */
import { Controller, Get, Header, Inject, ServiceUnavailableException } from '@nestjs/common';

export interface HealthAndConfig {
  /** base64url; only for first contact: a client that has a pin believes its pin (G13) */
  readonly relayPublicKey: string;
  readonly version: string;
  /** statements of the key's succession: whoever has pinned an earlier key is led to this one */
  readonly succession: readonly string[];
  /** Rejects while the relay should get no new connections. */
  readonly ready: () => Promise<void>;
}
export const HEALTH_AND_CONFIG = Symbol('HEALTH_AND_CONFIG');

@Controller()
export class HealthAndConfigController {
  readonly #parts: HealthAndConfig;

  constructor(@Inject(HEALTH_AND_CONFIG) parts: HealthAndConfig) {
    this.#parts = parts;
  }

  /** The process runs; says nothing about the store. */
  @Get('health/live')
  @Header('Cache-Control', 'no-store')
  live(): { readonly status: string } {
    return { status: 'live' };
  }

  @Get('health/ready')
  @Header('Cache-Control', 'no-store')
  async ready(): Promise<{ readonly status: string }> {
    try {
      await this.#parts.ready();
    } catch (error) {
      throw new ServiceUnavailableException({ status: 'not ready' }, { cause: error });
    }
    return { status: 'ready' };
  }

  @Get('config.json')
  @Header('Cache-Control', 'no-store')
  config(): Pick<HealthAndConfig, 'relayPublicKey' | 'version'> & Partial<HealthAndConfig> {
    const { relayPublicKey, version, succession } = this.#parts;
    return { relayPublicKey, version, ...(succession.length === 0 ? {} : { succession }) };
  }
}
