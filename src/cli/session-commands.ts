/** The commands `sessions`, `registrations` and `subscriptions`, with their options. */
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';

import { getSession, killSessions, listRegistrations, listSessions, listSubscriptions } from './sessions.js';

/** @param addRunningOptions - adds the options by which a command finds a running node. */
export function addSessionCommands(program: Command, addRunningOptions: (command: Command) => Command): void {
  const group = (name: string, description: string) => {
    const parent = program.command(name).description(description);
    return (child: string, about: string): Command =>
      addRunningOptions(parent.command(child).description(about))
        .option('--realm <realm>', 'only this realm')
        .option('--worker <id>', 'only this worker, where several have a realm of the same name');
  };
  const json = (): Option => new Option('--json', 'one JSON object per line');

  const sessions = group('sessions', 'show who is on a running node, and end sessions');
  sessions('list', 'show the sessions')
    .option('--authid <authid>', 'only those of this user')
    .option('--authrole <role>', 'only those with this role')
    .addOption(new Option('--id <id>', 'only this one').argParser(sessionId))
    .addOption(json())
    .action(listSessions);
  sessions('get', 'show all about a session: its connection, its registrations, its subscriptions')
    .argument('<id>', 'the id of the session', sessionId)
    .addOption(json())
    .action(getSession);
  sessions('kill', 'end a session, or several; exit 1 if there is none')
    .argument('[id]', 'the id of a session', sessionId)
    .option('--authid <authid>', 'all sessions of this user')
    .option('--authrole <role>', 'all sessions with this role')
    .option('--all', 'all sessions of the realm that --realm names')
    .option('--reason <uri>', 'the reason in their GOODBYE (default: wamp.close.killed)')
    .option('--message <text>', 'a sentence for them')
    .action(killSessions);

  group('registrations', 'show what can be called on a running node')('list', 'show the registrations')
    .option('--uri <prefix>', 'only procedures that begin with this')
    .addOption(json())
    .action(listRegistrations);
  group('subscriptions', 'show what is subscribed to on a running node')('list', 'show the subscriptions')
    .option('--uri <prefix>', 'only topics that begin with this')
    .addOption(json())
    .action(listSubscriptions);
}

function sessionId(text: string): number {
  const id = Number(text);
  if (!/^[1-9]\d{0,15}$/.test(text) || !Number.isSafeInteger(id)) {
    throw new InvalidArgumentError('The id of a session is a number.');
  }
  return id;
}
