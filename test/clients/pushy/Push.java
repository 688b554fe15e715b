import com.eatthepath.pushy.apns.ApnsClientBuilder;
import com.eatthepath.pushy.apns.auth.ApnsSigningKey;
import com.eatthepath.pushy.apns.util.SimpleApnsPushNotification;
import java.io.File;

/** Pushes to each token of the command line: PORT CA KEY TOKEN... Prints status and reason of each answer. */
public class Push {
  public static void main(final String[] args) throws Exception {
    final var key = ApnsSigningKey.loadFromPkcs8File(new File(args[2]), "TEAMID1234", "KEYID12345");
    final var client =
        new ApnsClientBuilder()
            .setApnsServer("localhost", Integer.parseInt(args[0]))
            .setTrustedServerCertificateChain(new File(args[1]))
            .setSigningKey(key)
            .build();
    for (int at = 3; at < args.length; at++) {
      final var push =
          new SimpleApnsPushNotification(args[at], "org.example.app", "{\"aps\":{\"alert\":\"hello\"}}");
      final var answer = client.sendNotification(push).get();
      System.out.println(answer.getStatusCode() + " " + answer.getRejectionReason().orElse(""));
    }
    client.close().get();
  }
}
