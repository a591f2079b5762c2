// These two come first, in this order: the address must be clean before anything else can read
// it, and no script URL may be made before the policy that judges it exists.
import './app/core/invite-fragment';
import './app/core/trusted-types';

import { bootstrapApplication } from '@angular/platform-browser';

import { App } from './app/app';
import { appConfig } from './app/app.config';

await bootstrapApplication(App, appConfig);
