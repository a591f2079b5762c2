/** The wiring, and nothing but the wiring. */
import { Module, type DynamicModule } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import type { Logger } from 'pino';
import { GATEWAY_PARTS, RelayGateway, type GatewayParts } from './gateway/relay.gateway.js';
import {
  HEALTH_AND_CONFIG,
  HealthAndConfigController,
  type HealthAndConfig,
} from './http/health-and-config.controller.js';

export interface RelayParts {
  readonly gateway: GatewayParts;
  readonly http: HealthAndConfig;
  readonly logger: Logger;
}

@Module({})
export class RelayModule {
  static with({ gateway, http, logger }: RelayParts): DynamicModule {
    return {
      module: RelayModule,
      // A request to the web client says who reads what when; refusals and failures are logged where they happen.
      imports: [LoggerModule.forRoot({ pinoHttp: { logger, autoLogging: false, quietReqLogger: true } })],
      controllers: [HealthAndConfigController],
      providers: [
        { provide: GATEWAY_PARTS, useValue: gateway },
        { provide: HEALTH_AND_CONFIG, useValue: http },
        RelayGateway,
      ],
    };
  }
}
