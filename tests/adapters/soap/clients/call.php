<?php
// php call.php WSDL KEY WRONG_KEY RECORD_JSON  → one JSON line: what was answered, and the fault
[, $wsdl, $key, $wrong, $record] = $argv;
$client = new SoapClient($wsdl, ['exceptions' => true, 'cache_wsdl' => WSDL_CACHE_NONE]);
$fields = [];
foreach (json_decode($record, true) as $name => $value) {
    $fields[] = ['name' => $name, 'value' => $value];
}
$ask = ['key' => $key, 'connection' => 'soap-checks', 'id' => 'php-1', 'dataset' => 'check_action', 'waitSeconds' => 20, 'record' => [['field' => $fields]]];
$receipt = $client->submit($ask)->receipt;
try {
    $client->submit(['key' => $wrong] + $ask);
    $fault = null;
} catch (SoapFault $error) {
    $fault = ['text' => $error->faultstring, 'code' => $error->detail->HubFault->code];
}
echo json_encode(['accepted' => $receipt->accepted, 'read' => $receipt->read, 'fault' => $fault], JSON_UNESCAPED_UNICODE);
