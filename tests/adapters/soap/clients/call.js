// node call.js WSDL KEY WRONG_KEY RECORD_JSON  → one JSON line: what was answered, and the fault
const soap = require("soap");
const [, , wsdl, key, wrong, record] = process.argv;
const field = Object.entries(JSON.parse(record)).map(([name, value]) => ({ name, value }));
const ask = { key, connection: "soap-checks", id: "node-1", dataset: "check_action", waitSeconds: 20, record: [{ field }] };
(async () => {
  const client = await soap.createClientAsync(wsdl);
  const [{ receipt }] = await client.submitAsync(ask);
  let fault = null;
  try {
    await client.submitAsync({ ...ask, key: wrong });
  } catch (error) {
    const told = error.root.Envelope.Body.Fault;
    fault = { text: told.faultstring, code: told.detail.HubFault.code };
  }
  console.log(JSON.stringify({ accepted: receipt.accepted, read: receipt.read, fault }));
})();
