package main

const pageBytes = 4096

// content is what a file holds. Pages that were never written are not there and read as zeros.
type content struct {
	size  int64
	pages map[int64]*[pageBytes]byte
}

func newContent() *content {
	return &content{pages: map[int64]*[pageBytes]byte{}}
}

// piece is a write, or the part of one that falls into one page: what a disk keeps or loses as a whole.
type piece struct {
	seq  uint64
	page int64
	from int
	data []byte
}

func (p *piece) end() int64 {
	return p.page*pageBytes + int64(p.from+len(p.data))
}

// split copies: the data of a request is used again for the next one.
func split(offset int64, data []byte, nextSeq func() uint64) []*piece {
	var pieces []*piece
	for len(data) > 0 {
		from := int(offset % pageBytes)
		n := min(pageBytes-from, len(data))
		pieces = append(pieces, &piece{nextSeq(), offset / pageBytes, from, append([]byte(nil), data[:n]...)})
		offset += int64(n)
		data = data[n:]
	}
	return pieces
}

func (c *content) write(p *piece) {
	if len(p.data) == 0 {
		return
	}
	page := c.pages[p.page]
	if page == nil {
		page = new([pageBytes]byte)
		c.pages[p.page] = page
	}
	copy(page[p.from:], p.data)
	c.size = max(c.size, p.end())
}

func (c *content) truncate(size int64) {
	if size < c.size {
		for index := range c.pages {
			if index*pageBytes >= size {
				delete(c.pages, index)
			}
		}
		if page := c.pages[size/pageBytes]; page != nil {
			clear(page[size%pageBytes:])
		}
	}
	c.size = size
}

// read fills the buffer from the offset on and tells how far the file goes.
func (c *content) read(offset int64, into []byte) []byte {
	if offset >= c.size {
		return nil
	}
	into = into[:min(int64(len(into)), c.size-offset)]
	for done := 0; done < len(into); {
		at := offset + int64(done)
		from := int(at % pageBytes)
		n := min(pageBytes-from, len(into)-done)
		if page := c.pages[at/pageBytes]; page != nil {
			copy(into[done:done+n], page[from:])
		} else {
			clear(into[done : done+n])
		}
		done += n
	}
	return into
}

func (c *content) clone() *content {
	copied := &content{c.size, make(map[int64]*[pageBytes]byte, len(c.pages))}
	for index, page := range c.pages {
		data := *page
		copied.pages[index] = &data
	}
	return copied
}
