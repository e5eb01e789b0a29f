/**
 * The command line: commands, options and exit codes, nothing else.
 *
 *     0  done, or an orderly end of the node
 *     1  anything wrong: unknown option, bad config, missing directory, a node that runs already, a failed start
 *     69  `stop`, `reload`: no node runs; `status --assert`: it is not so
 *     77  `stop`: the node belongs to another user
 *     128 + n  ended by a second signal n (`node/signals.ts`)
 *
 * `check --explain` has codes of its own: see `explain.ts`.
 */
import { Argument, Command, InvalidArgumentError, Option } from 'commander';

import { ASKED_ACTIONS } from '../config/explain/explain.js';
import { LOG_LEVELS } from '../log/level.js';
import { packageVersion } from '../node/package.js';
import { check } from './check.js';
import { convert } from './convert.js';
import { compact, importCookies, listCookies, revoke, verify } from './cookies.js';
import { init, portNumber, templateHelp, templateName } from './init/init.js';
import { keygen, showKeys } from './keys.js';
import { byteCount, LOGS_KEPT } from './log-options.js';
import { COLOR_CHOICES, LOG_FORMATS } from './logging.js';
import { reload } from './reload.js';
import { describeFailure } from './report.js';
import { addSessionCommands } from './session-commands.js';
import { start } from './start.js';
import { NODE_STATES, status } from './status.js';
import { stop } from './stop.js';
import { TOP_SORTS, top } from './top.js';
import { upgrade } from './upgrade.js';

const SECONDS = 'Seconds are a whole number.';

/** Runs one command. @param argv - the arguments after the program's name. */
export async function run(argv: readonly string[]): Promise<void> {
  const program = commandLine(argv);
  if (argv.length === 0) {
    process.stdout.write(program.helpInformation());
    return;
  }
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    process.stderr.write(describeFailure(error));
    process.exitCode = 1;
  }
}

function commandLine(argv: readonly string[]): Command {
  const program = new Command('crossbar-ts')
    .description('A WAMP router that starts from a config.json and recognises returning browsers by a cookie.')
    .version(versionLine(), '-V, --version', 'print the version')
    .showSuggestionAfterError();

  addRunOptions(program.command('start').description('start a node and run it until SIGINT or SIGTERM'))
    .addOption(
      new Option('--loglevel <level>', 'how much to log (default: log_level of the config, else info)').choices(
        LOG_LEVELS,
      ),
    )
    .addOption(
      new Option('--logformat <format>', 'how to log (default: text at a terminal, else json)').choices(LOG_FORMATS),
    )
    .addOption(new Option('--color <when>', 'colour in text logs').choices(COLOR_CHOICES).default('auto'))
    .addOption(strictly())
    .option('--logtofile', 'log to node.log instead of standard output')
    .option('--logdir <dir>', 'where node.log lies (default: the state or node directory); implies --logtofile')
    .addOption(new Option('--logmaxsize <size>', 'set node.log aside when it is larger, like 10M').argParser(byteCount))
    .addOption(
      new Option('--logkeep <n>', 'how many logs that were set aside are kept')
        .argParser(wholeNumber('A count is a whole number from 0 to 99999.'))
        .default(LOGS_KEPT),
    )
    .addOption(new Option('--shutdownafter <seconds>', 'stop after so many seconds').argParser(wholeNumber(SECONDS)))
    .action(start);

  addCheck(program, argv.includes('--explain'));

  addProcessCommands(program);
  addNodeOptions(program.command('upgrade').description('write a config of version 1 as version 2; keep the old file'))
    .option('--dry-run', 'print the new config, write nothing')
    .action(upgrade);

  addNodeOptions(program.command('convert').description('write the config in the other format, JSON or YAML'))
    .option('--output <file>', 'the new file (default: beside the old one, with the other ending)')
    .option('--force', 'replace a file that is there')
    .action(convert);
  addCbdirOption(program.command('keys').description('show the key of the node, and make it if there is none'))
    .option('--private', 'show the private key, too')
    .action(showKeys);
  program
    .command('keygen')
    .description('make a key pair for end-to-end encryption of payloads (X25519)')
    .action(keygen);

  addCookieCommands(program);
  addSessionCommands(program, addRunningOptions);

  program
    .command('init')
    .description('make a node with a page in a directory, from a template')
    .option('--appdir <dir>', 'where to make it', '.')
    .addOption(
      new Option('--template <name>', 'which one (default: asked at a terminal, else minimal)').argParser(templateName),
    )
    .addOption(new Option('--port <n>', 'the port that it listens on (default: 8080)').argParser(portNumber))
    .option('--realm <name>', 'the name of its realm (default: realm1)')
    .addHelpText('after', templateHelp)
    .action(init);

  program
    .command('version')
    .description('print the version')
    .action(() => void process.stdout.write(`${versionLine()}\n`));
  return program;
}

function versionLine(): string {
  return `crossbar-ts ${packageVersion()} (Node.js ${process.versions.node})`;
}

/** @param explains whether a question is asked, to which 1 as exit code is an answer. */
function addCheck(program: Command, explains: boolean): void {
  const command = addStatedirOption(addNodeOptions(program.command('check')))
    .description(
      'check the config and report everything wrong in it; or say with --explain what a role may do, and why',
    )
    .addArgument(new Argument('[action]', 'with --explain: what is to be done').choices(ASKED_ACTIONS))
    .argument('[uri]', 'with --explain: the URI or pattern')
    .addOption(strictly())
    .option(
      '--explain',
      'say whether a role may do something, and which rule decides (exit code 0: allowed, 1: denied)',
    )
    .option('--realm <name>', 'with --explain: the realm (default: the only one)')
    .option('--role <name>', 'with --explain: the role (default: the only one)')
    .addOption(new Option('--match <how>', 'with --explain: what the URI is').choices(['exact', 'prefix', 'wildcard']))
    .action(check);
  if (explains) command.exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
}

function addCookieCommands(program: Command): void {
  const cookies = program
    .command('cookies')
    .description('look at the cookies of a node, running or not, and manage them');
  const command = (name: string, description: string): Command =>
    addRunOptions(cookies.command(name).description(description));
  const store = (): Option => new Option('--store <n>', 'only this store, counted from 1').argParser(storeNumber);

  command('list', 'show all cookies, by digests')
    .addOption(store())
    .option('--json', 'one JSON object per line')
    .action(listCookies);
  command('verify', 'count good and damaged entries without touching them; exit 1 if any is damaged')
    .addOption(store())
    .action(verify);
  command('compact', 'rewrite the stores without what nobody can ask for any more').addOption(store()).action(compact);
  command('revoke', 'log browsers out: their cookies are forgotten, their sessions end')
    .addOption(store())
    .option('--authid <authid>', 'all cookies with a login of this user')
    .option('--digest <digest>', 'a single cookie')
    .option('--all', 'all cookies')
    .action(revoke);
  command('import', 'take over the cookies of another store, also of a cookie file of Crossbar.io')
    .requiredOption('--from <path>', 'a cookie file, or the directory of a database')
    .addOption(new Option('--to <n>', 'into this store of the node, counted from 1').argParser(storeNumber))
    .action(importCookies);
}

function addProcessCommands(program: Command): void {
  addRunningOptions(program.command('stop').description('stop a running node, and wait until it is gone'))
    .addOption(
      new Option(
        '--timeout <seconds>',
        'how long its orderly end may take before it is ended by force (default: what its config allows, and 5)',
      ).argParser(wholeNumber(SECONDS)),
    )
    .action(stop);
  addRunningOptions(
    program.command('reload').description('have a running node read its config again, and say what changed'),
  )
    .option('--restart-components', 'stop and start the components whose config has changed')
    .option('--json', 'as one JSON object')
    .action(reload);
  addRunningOptions(program.command('status').description('say whether a node runs, and what it says of itself'))
    .addOption(new Option('--assert <state>', 'exit with 69 if that is not so').choices(NODE_STATES))
    .option('--json', 'as one JSON object')
    .action(status);
  addRunningOptions(program.command('top').description('watch the sessions of a running node, as top does processes'))
    .addOption(new Option('--sort <key>', 'what comes first').choices(TOP_SORTS).default(TOP_SORTS[0]))
    .option('--realm <realm>', 'only sessions of this realm')
    .addOption(
      new Option('--interval <seconds>', 'how long between two looks')
        .argParser(wholeNumber('Seconds are a whole number from 1 to 99999.'))
        .default(1),
    )
    .option('--once', 'print one table and end; so it is also where nobody sits at a terminal')
    .option('--json', 'one JSON object per line and look, until you end it; one with --once')
    .action(top);
}

/** @param refusal - said when it is none of at most five digits */
function wholeNumber(refusal: string): (text: string) => number {
  return (text) => {
    if (!/^\d{1,5}$/.test(text)) throw new InvalidArgumentError(refusal);
    return Number(text);
  };
}

function strictly(): Option {
  return new Option('--strict', 'refuse a config in which something has no effect');
}

function storeNumber(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('Stores are numbered 1, 2, ...');
  return Number(text);
}

/** What a node is started with. */
function addRunOptions(command: Command): Command {
  return addStatedirOption(addRundirOption(addNodeOptions(command)));
}

/** How a command finds a running node, which has read its config. */
function addRunningOptions(command: Command): Command {
  return addRundirOption(addCbdirOption(command));
}

function addNodeOptions(command: Command): Command {
  return addCbdirOption(command).option(
    '--config <file>',
    'config file (default: config.yaml or config.json in the node directory)',
  );
}

function addCbdirOption(command: Command): Command {
  return command.option(
    '--cbdir <dir>',
    'node directory (default: $CROSSBAR_DIR, else ./.crossbar if there is one, else .)',
  );
}

function addRundirOption(command: Command): Command {
  return command.addOption(
    new Option(
      '--rundir <dir>',
      'where node.pid and node.sock of a running node lie (default: the node directory)',
    ).env('CROSSBAR_RUNDIR'),
  );
}

function addStatedirOption(command: Command): Command {
  return command.addOption(
    new Option(
      '--statedir <dir>',
      'where relative paths of cookie stores, audit log and log start (default: the node directory)',
    ).env('CROSSBAR_STATEDIR'),
  );
}
