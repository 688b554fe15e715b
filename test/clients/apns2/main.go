// Pushes to each token of the command line: PORT CA KEY TOKEN... Prints status and reason of each answer.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"github.com/sideshow/apns2"
	"github.com/sideshow/apns2/token"
	"golang.org/x/net/http2"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	port, ca, key, tokens := os.Args[1], os.Args[2], os.Args[3], os.Args[4:]
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(must(os.ReadFile(ca)))
	auth := &token.Token{AuthKey: must(token.AuthKeyFromFile(key)), KeyID: "KEYID12345", TeamID: "TEAMID1234"}
	client := apns2.NewTokenClient(auth)
	client.Host = "https://localhost:" + port
	client.HTTPClient.Transport = &http2.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	for _, device := range tokens {
		answer := must(client.Push(&apns2.Notification{
			DeviceToken: device,
			Topic:       "org.example.app",
			Payload:     []byte(`{"aps":{"alert":"hello"}}`),
		}))
		fmt.Println(answer.StatusCode, answer.Reason)
	}
}
