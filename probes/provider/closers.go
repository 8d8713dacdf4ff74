package provider

import (
	"errors"
	"io"
	"sync"
)

// Closers closes several links. The kernel waits for a grace period with many
// kinds of link, so they are closed at the same time.
type Closers []io.Closer

// closing bounds how many links are closed at once.
const closing = 64

// Close closes all and returns their errors.
func (c Closers) Close() error {
	errs := make([]error, len(c))
	slots := make(chan struct{}, closing)
	var wg sync.WaitGroup
	for i, link := range c {
		slots <- struct{}{}
		wg.Go(func() {
			errs[i] = link.Close()
			<-slots
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// AttachEach attaches to each item in turn; when one fails, what was attached
// so far is closed again.
func AttachEach[T any](items []T, attach func(T) (io.Closer, error)) (io.Closer, error) {
	var links Closers
	for _, item := range items {
		link, err := attach(item)
		if err != nil {
			return nil, errors.Join(err, links.Close())
		}
		links = append(links, link)
	}
	return links, nil
}
