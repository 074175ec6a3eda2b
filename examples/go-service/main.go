// Command greeter answers with its version. Its place in the mesh is in k8s/ and rules/.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
)

func greet(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintf(w, "hello from %s\n", os.Getenv("VERSION"))
}

func main() {
	http.HandleFunc("/", greet)
	log.Fatal(http.ListenAndServe(os.Getenv("LISTEN"), nil))
}
