package output

import (
	"strconv"
	"strings"
	"time"

	"github.com/ncruces/go-strftime"
)

// appendTime appends t in the form of strftime(3) in the C locale, and %f as
// six digits of microseconds. The flags and widths of glibc are understood;
// what is no conversion is text.
func appendTime(dst []byte, format string, t time.Time) []byte {
	for {
		i := strings.IndexByte(format, '%')
		if i < 0 {
			return append(dst, format...)
		}
		dst = append(dst, format[:i]...)
		format = format[i:]
		c, n := timeConversionAt(format)
		if n == 0 {
			n = 1
			dst = append(dst, '%')
		} else {
			dst = c.append(dst, t)
		}
		format = format[n:]
	}
}

// timeConversion is a percent sign with what belongs to it.
type timeConversion struct {
	flag        byte // how to pad: _ - 0, or 0 for the conversion's own way
	upper, swap bool // ^ and #
	width       int
	verb        byte
}

// timeConversions are the conversions of C and POSIX, and those of glibc.
const timeConversions = "aAbBcCdDeFgGhHIjklmMnpPrRsStTuUVwWxXyYzZ%"

// maxTimeWidth bounds a field, in columns.
const maxTimeWidth = 1024

// timeConversionAt reads the conversion at the start of s, a percent sign; n
// is its length, 0 if there is none.
func timeConversionAt(s string) (c timeConversion, n int) {
	if strings.HasPrefix(s, "%f") { // no conversion of C: without flags
		return timeConversion{verb: 'f'}, 2
	}
	i := 1
flags:
	for ; i < len(s); i++ {
		switch s[i] {
		case '_', '-', '0':
			c.flag = s[i]
		case '^':
			c.upper = true
		case '#':
			c.swap = true
		default:
			break flags
		}
	}
	for ; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
		c.width = min(10*c.width+int(s[i]-'0'), maxTimeWidth)
	}
	if i+1 < len(s) && (s[i] == 'E' || s[i] == 'O') { // other digits and eras: the C locale has none
		i++
	}
	if i >= len(s) || strings.IndexByte(timeConversions, s[i]) < 0 {
		return c, 0
	}
	c.verb = s[i]
	return c, i + 1
}

func (c timeConversion) append(dst []byte, t time.Time) []byte {
	if c.verb == 'f' {
		return appendDigits(dst, t.Nanosecond()/1000, 6)
	}
	text := strftime.Format("%"+string(c.verb), t)
	switch {
	case c.upper, c.swap && strings.IndexByte("aAbBh", c.verb) >= 0:
		text = strings.ToUpper(text)
	case c.swap && (c.verb == 'p' || c.verb == 'Z'):
		text = strings.ToLower(text)
	}
	return c.appendPadded(dst, text)
}

// appendPadded pads numbers with zeros or spaces, other text with spaces.
func (c timeConversion) appendPadded(dst []byte, text string) []byte {
	number := strings.IndexByte("CdgGHIjmMsSuUVwWyYekl", c.verb) >= 0
	own := byte(' ')
	if number && strings.IndexByte("ekl", c.verb) < 0 {
		own = '0'
	}
	fill := own
	switch c.flag {
	case '_':
		fill = ' '
	case '0':
		fill = '0'
	}
	width := c.width
	if number && c.flag != 0 {
		width = max(width, len(text))
		text = strings.TrimLeft(text, "0 ")
		if text == "" {
			text = "0"
		}
		if c.flag == '-' {
			width = 0
		}
	}
	for range width - len(text) {
		dst = append(dst, fill)
	}
	return append(dst, text...)
}

// appendDigits appends the decimal digits of n with zeros in front.
func appendDigits(dst []byte, n, digits int) []byte {
	text := strconv.Itoa(n)
	for range digits - len(text) {
		dst = append(dst, '0')
	}
	return append(dst, text...)
}
