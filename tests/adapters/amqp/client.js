// A party's client in npm amqplib: publishes its own, and tries what it may not.
const amqp = require("amqplib");
const [url, own, other] = process.argv.slice(2);

async function refused(connection, work) {
  const channel = await connection.createConfirmChannel();
  const closed = new Promise((tell) => channel.on("error", (error) => tell(error.code)));
  try {
    await Promise.race([work(channel), closed]);
  } catch (error) {
    // told by the channel's own error
  }
  return Promise.race([closed, new Promise((tell) => setTimeout(tell, 3000, 0))]);
}

async function main() {
  const connection = await amqp.connect(url);
  const channel = await connection.createConfirmChannel();
  const properties = { messageId: "node-1", contentType: "text/csv", replyTo: `receipt.${own}`, persistent: true };
  channel.publish("hub.in", `in.${own}`, Buffer.from("处罚"), properties);
  await channel.waitForConfirms();
  for (const queue of [`receipt.${own}`, `deliver.${own}`]) await channel.get(queue);
  const publish = (exchange, key) => async (c) => {
    c.publish(exchange, key, Buffer.from("x"));
    await c.waitForConfirms();
  };
  const tries = {
    "another's key": publish("hub.in", `in.${other}`),
    "another's answer": publish("hub.receipts", `receipt.${other}`),
    "the default exchange": publish("", "work.translate.now"),
    "the hub's exchange": publish("hub.parcels", "up.x.y"),
    "another's queue": (c) => c.get(`deliver.${other}`),
    "its own inbox": (c) => c.consume(`in.${own}`, () => {}),
    "a queue": (c) => c.assertQueue("mine"),
    "an exchange": (c) => c.assertExchange("mine", "topic"),
  };
  const codes = {};
  for (const [name, work] of Object.entries(tries)) codes[name] = await refused(connection, work);
  await connection.close();
  console.log(JSON.stringify({ published: true, refused: codes }));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
