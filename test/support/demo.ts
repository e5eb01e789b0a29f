/** The demo of the package in a real browser: its config, made fit for a test, and a tab with its page. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { BrowserContext, Locator, Page } from 'playwright-core';

const ROOT = path.resolve(import.meta.dirname, '../..');
/** Shorter than a test may take, so that a failure says what was waited for. */
const DEADLINE_MS = 15_000;
/**
 * What the browser itself reports while a node restarts: a refused connection, and autobahn's answer to GOODBYE, which
 * autobahn sends only after it has closed the socket.
 */
const RESTART_NOISE = /ERR_CONNECTION_|WebSocket is already in CLOSING or CLOSED state/;

/** The default node as it is, but on a free port and with the page's absolute path. */
export function demoConfig(): string {
  return readFileSync(path.join(ROOT, '.crossbar/config.json'), 'utf8')
    .replace('"port": 8080', '"port": "$PORT"')
    .replace('"../web"', JSON.stringify(path.join(ROOT, 'web')));
}

/** A tab with the demo in it. */
export class DemoTab {
  readonly page: Page;

  private constructor(page: Page) {
    this.page = page;
  }

  /**
   * Opens the demo in a new tab and waits until it is connected.
   * @param complaints gets what goes wrong in the page: exceptions, refused resources, violations of the page's own
   *   content security policy.
   */
  static async open(context: BrowserContext, url: string, complaints: string[]): Promise<DemoTab> {
    const page = await context.newPage();
    page.setDefaultTimeout(DEADLINE_MS);
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (line) => {
      if (line.type() === 'error' && !RESTART_NOISE.test(line.text())) complaints.push(line.text());
    });
    await page.goto(url);
    const tab = new DemoTab(page);
    await tab.connected();
    return tab;
  }

  get name(): Promise<string> {
    return this.page.getByRole('heading', { level: 1 }).innerText();
  }

  get composer(): Locator {
    return this.page.getByLabel('Message to everybody');
  }

  person(name: string): Locator {
    return this.page
      .getByRole('region', { name: /Here with you/ })
      .getByRole('listitem')
      .filter({ hasText: name });
  }

  message(text: string): Locator {
    return this.page.getByRole('log').getByRole('listitem').filter({ hasText: text });
  }

  toast(text: string | RegExp): Locator {
    return this.page.locator('.toast').filter({ hasText: text });
  }

  async see(...texts: readonly (string | RegExp)[]): Promise<void> {
    for (const text of texts) await this.page.getByText(text).first().waitFor();
  }

  async say(text: string): Promise<void> {
    await this.composer.fill(text);
    await this.composer.press('Enter');
  }

  async waveTo(name: string): Promise<void> {
    await this.page.getByRole('button', { name: `Wave to ${name}` }).click();
  }

  get dialog(): Locator {
    return this.page.getByRole('dialog', { name: 'Log in' });
  }

  /** Fills in the login form and sends it; what comes of it is for the test to wait for. */
  async logIn(name: string, password: string): Promise<void> {
    if (!(await this.dialog.isVisible())) await this.page.getByRole('button', { name: 'Log in' }).click();
    await this.dialog.getByLabel('Name').fill(name);
    await this.dialog.getByLabel('Password').fill(password);
    await this.dialog.getByLabel('Password').press('Enter');
  }

  async logOut(): Promise<void> {
    await this.page.getByRole('button', { name: 'Log out' }).click();
  }

  /** Waits until the page says who this is. */
  async isCalled(name: string | RegExp): Promise<void> {
    await this.page.getByRole('heading', { level: 1, name }).waitFor();
  }

  async connected(): Promise<void> {
    await this.page.getByText('Connected', { exact: true }).waitFor();
  }
}
