// Load on an API server, measured from outside: the same requests whoever answers them.
// Run by `cargo xtask bench api`; standard library only. Prints one JSON object.
package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"sort"
	"sync"
	"sync/atomic"
	"time"
)

var (
	server   = flag.String("server", "", "address of the server")
	token    = flag.String("token", "", "bearer token")
	pods     = flag.Int("pods", 10000, "pods to create and list")
	watchers = flag.Int("watchers", 100, "watches to open")
	changes  = flag.Int("changes", 200, "changes that each watch is told of")
	workers  = flag.Int("workers", 16, "requests under way at once")
)

var client = &http.Client{Transport: &http.Transport{
	TLSClientConfig:     &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2", "http/1.1"}},
	ForceAttemptHTTP2:   true,
	DisableCompression:  true,
	MaxIdleConnsPerHost: 64,
}}

// Each watch has a connection of its own, as clients in different places have.
func apart() *http.Client {
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig:    &tls.Config{InsecureSkipVerify: true},
		DisableCompression: true,
	}}
}

func request(by *http.Client, verb, path, kind, accept string, body []byte) (*http.Response, error) {
	asked, err := http.NewRequest(verb, *server+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	asked.Header.Set("Authorization", "Bearer "+*token)
	asked.Header.Set("Accept", accept)
	if kind != "" {
		asked.Header.Set("Content-Type", kind)
	}
	return by.Do(asked)
}

// Sends a request and reads the whole answer: how long it is.
func send(verb, path, kind, accept string, body []byte) int64 {
	answer, err := request(client, verb, path, kind, accept, body)
	if err != nil {
		fail("%s %s: %v", verb, path, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode >= 300 && answer.StatusCode != 409 {
		text, _ := io.ReadAll(answer.Body)
		fail("%s %s: %d %s", verb, path, answer.StatusCode, text)
	}
	size, err := io.Copy(io.Discard, answer.Body)
	if err != nil {
		fail("%s %s: %v", verb, path, err)
	}
	return size
}

func fail(form string, arguments ...any) {
	fmt.Fprintf(os.Stderr, form+"\n", arguments...)
	os.Exit(1)
}

// So many calls by all workers together: calls per second.
func rate(count int, call func(int)) float64 {
	var next atomic.Int64
	var all sync.WaitGroup
	began := time.Now()
	for range *workers {
		all.Add(1)
		go func() {
			defer all.Done()
			for {
				number := int(next.Add(1)) - 1
				if number >= count {
					return
				}
				call(number)
			}
		}()
	}
	all.Wait()
	return float64(count) / time.Since(began).Seconds()
}

func pod(number int) []byte {
	container := func(name, image string) map[string]any {
		return map[string]any{
			"name": name, "image": image,
			"env":       []any{map[string]any{"name": "LEVEL", "value": "info"}},
			"ports":     []any{map[string]any{"containerPort": 8080}},
			"resources": map[string]any{"requests": map[string]any{"cpu": "10m", "memory": "16Mi"}},
			"readinessProbe": map[string]any{
				"httpGet": map[string]any{"path": "/ready", "port": 8080},
			},
		}
	}
	text, _ := json.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Pod",
		"metadata": map[string]any{
			"name": fmt.Sprintf("p-%05d", number), "labels": map[string]any{"app": "load", "tier": "web"},
		},
		"spec": map[string]any{"containers": []any{
			container("web", "example.com/web:1"), container("proxy", "example.com/proxy:1"),
		}},
	})
	return text
}

const (
	asJSON  = "application/json"
	table   = "application/json;as=Table;v=v1;g=meta.k8s.io"
	proto   = "application/vnd.kubernetes.protobuf"
	merge   = "application/merge-patch+json"
	space   = "/api/v1/namespaces/load"
	repeats = 5
)

// Lists all pods some times: lists per second, and the size of one.
func lists(accept string) (float64, int64) {
	var size int64
	best := 0.0
	for range repeats {
		began := time.Now()
		size = send("GET", space+"/pods", "", accept, nil)
		best = max(best, 1/time.Since(began).Seconds())
	}
	return best, size
}

// Milliseconds from sending a change to its arrival at each of the watches, sorted.
func delays() []float64 {
	arrived := make([][]float64, *watchers)
	var ready, done sync.WaitGroup
	for number := range *watchers {
		ready.Add(1)
		done.Add(1)
		go func() {
			defer done.Done()
			answer, err := request(apart(), "GET", space+"/configmaps?watch=true", "", asJSON, nil)
			if err != nil {
				fail("watch: %v", err)
			}
			defer answer.Body.Close()
			lines := bufio.NewReaderSize(answer.Body, 1<<16)
			ready.Done()
			for len(arrived[number]) < *changes {
				line, err := lines.ReadBytes('\n')
				if err != nil {
					fail("watch: %v", err)
				}
				var event struct {
					Object struct{ Data map[string]string }
				}
				if json.Unmarshal(line, &event) != nil || event.Object.Data["sent"] == "" {
					continue
				}
				var sent int64
				fmt.Sscan(event.Object.Data["sent"], &sent)
				delay := float64(time.Now().UnixNano()-sent) / 1e6
				arrived[number] = append(arrived[number], delay)
			}
		}()
	}
	ready.Wait()
	time.Sleep(500 * time.Millisecond)
	for number := range *changes {
		body := fmt.Sprintf(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c-%d"},"data":{"sent":"%d"}}`,
			number, time.Now().UnixNano())
		send("POST", space+"/configmaps", asJSON, asJSON, []byte(body))
		time.Sleep(20 * time.Millisecond)
	}
	done.Wait()
	var all []float64
	for _, some := range arrived {
		all = append(all, some...)
	}
	sort.Float64s(all)
	return all
}

func main() {
	flag.Parse()
	told := map[string]float64{}
	send("POST", "/api/v1/namespaces", asJSON, asJSON,
		[]byte(`{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"load"}}`))
	send("POST", space+"/serviceaccounts", asJSON, asJSON,
		[]byte(`{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"default"}}`))
	told["creates"] = rate(*pods, func(number int) {
		send("POST", space+"/pods", asJSON, asJSON, pod(number))
	})
	name := func(number int) string { return fmt.Sprintf("%s/pods/p-%05d", space, number*7919%*pods) }
	told["gets"] = rate(min(*pods, 5000), func(number int) {
		send("GET", name(number), "", asJSON, nil)
	})
	told["patches"] = rate(min(*pods, 3000), func(number int) {
		body := fmt.Sprintf(`{"metadata":{"labels":{"round":"r%d"}}}`, number)
		send("PATCH", name(number), merge, asJSON, []byte(body))
	})
	for form, accept := range map[string]string{"json": asJSON, "table": table, "protobuf": proto} {
		var size int64
		told["list "+form], size = lists(accept)
		told["size "+form] = float64(size)
	}
	all := delays()
	told["watch p50"] = all[len(all)/2]
	told["watch p99"] = all[len(all)*99/100]
	if err := json.NewEncoder(os.Stdout).Encode(told); err != nil {
		fail("%v", err)
	}
}
