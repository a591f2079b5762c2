import type { Type } from '@angular/core';
import type { ComponentFixture } from '@angular/core/testing';
import { TestBed } from '@angular/core/testing';
import type { Routes } from '@angular/router';
import { RouterTestingHarness } from '@angular/router/testing';

import { provideAddresses } from '../src/app/core/addresses';
import { OPEN_CLIENT } from '../src/app/core/client-connection';
import { Preferences } from '../src/app/core/preferences';
import { provideSentences } from '../src/app/core/sentences';
import { FakeClient } from './fake-client';

/** Provides the app around a fake worker that answers at once. */
export function provideApp(scenario: string, routes: Routes = []): FakeClient {
  const client = new FakeClient(scenario, 0);
  TestBed.configureTestingModule({
    providers: [
      provideAddresses(routes),
      provideSentences(),
      {
        provide: OPEN_CLIENT,
        useValue: () => ({
          api: client,
          subscribe: client.subscribe.bind(client),
          exportVault: client.exportVault.bind(client),
          close: () => client.close(),
        }),
      },
    ],
  });
  TestBed.inject(Preferences).chooseLanguage('en');
  return client;
}

/** Shows one component with its inputs. */
export async function render<T>(
  type: Type<T>,
  inputs: Readonly<Record<string, unknown>> = {},
): Promise<ComponentFixture<T>> {
  const fixture = TestBed.createComponent(type);
  for (const [name, value] of Object.entries(inputs)) fixture.componentRef.setInput(name, value);
  await fixture.whenStable();
  return fixture;
}

/** Goes to an address of the routes given to provideApp. */
export async function visit(url: string): Promise<RouterTestingHarness> {
  const harness = await RouterTestingHarness.create();
  await harness.navigateByUrl(url);
  await settle(harness.fixture);
  return harness;
}

/** Lets the fake worker answer and the screen follow. */
export async function settle(fixture: ComponentFixture<unknown>, turns = 4): Promise<void> {
  for (let turn = 0; turn < turns; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    await fixture.whenStable();
  }
}

export function element(root: ComponentFixture<unknown> | HTMLElement, id: string): HTMLElement {
  const host = root instanceof HTMLElement ? root : (root.nativeElement as HTMLElement);
  const found = host.querySelector<HTMLElement>(`[data-testid="${id}"]`);
  if (found === null) throw new Error(`nothing on screen is called ${id}`);
  return found;
}

export function maybe(root: ComponentFixture<unknown>, id: string): HTMLElement | null {
  return (root.nativeElement as HTMLElement).querySelector(`[data-testid="${id}"]`);
}

export function fill(root: ComponentFixture<unknown>, id: string, value: string): void {
  const field = element(root, id) as HTMLInputElement | HTMLTextAreaElement;
  field.value = value;
  field.dispatchEvent(new Event('input'));
}
