import hub.DataRecord;
import hub.DatasetId;
import hub.Field;
import hub.HubFault;
import hub.Receipt;
import hub.SupervisionHub;
import java.net.URL;
import java.util.List;

/** java Call WSDL KEY WRONG_KEY name=value …: one JSON line: what was answered, and the fault. */
public class Call {
    public static void main(String[] words) throws Exception {
        var port = new SupervisionHub(new URL(words[0])).getHubPort();
        var record = new DataRecord();
        for (int i = 3; i < words.length; i++) {
            int at = words[i].indexOf('=');
            var field = new Field();
            field.setName(words[i].substring(0, at));
            field.setValue(hub(words[i].substring(at + 1)));
            record.getField().add(field);
        }
        Receipt receipt = port.submit(words[1], "soap-checks", "java-1", DatasetId.CHECK_ACTION, 20, List.of(record));
        String fault = "null";
        try {
            port.submit(words[2], "soap-checks", "java-1", DatasetId.CHECK_ACTION, 20, List.of(record));
        } catch (HubFault error) {
            fault = "{\"text\": \"" + error.getMessage() + "\", \"code\": \"" + error.getFaultInfo().getCode() + "\"}";
        }
        System.out.println("{\"accepted\": " + receipt.getAccepted() + ", \"read\": " + receipt.getRead()
            + ", \"fault\": " + fault + "}");
    }

    private static javax.xml.bind.JAXBElement<String> hub(String text) {
        return new hub.ObjectFactory().createFieldValue(text);
    }
}
