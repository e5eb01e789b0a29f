// The component of component.json: greets whoever calls, and counts.
export default async function greeter(session, { extra, log }) {
  let greeted = 0;

  await session.register('com.example.greet', ([name]) => {
    greeted += 1;
    session.publish('com.example.greeted', [greeted]);
    return `${extra.greeting}, ${name}!`;
  });

  return {
    stop: () => log.info({ greeted }, 'the greeter goes home'),
  };
}
