/*
 * A program to be traced by shop.gt: it takes orders, and some take longer.
 *
 *   gcc -O1 -g -fno-omit-frame-pointer -o /tmp/shop examples/shop/shop.c
 */
#include <stdio.h>
#include <unistd.h>

struct order {
	char customer[16];
	int items;
};

/* noinline keeps the function one that can be traced. */
__attribute__((noinline)) int take_order(const struct order *o)
{
	usleep(o->items * 300);
	return o->items > 8 ? -1 : o->items * 3;
}

int main(void)
{
	static const struct order orders[] = { { "ada", 2 }, { "grace", 5 }, { "edsger", 9 } };
	int sum = 0;

	for (int i = 0; i < 300; i++) {
		int price = take_order(&orders[i % 3]);
		if (price > 0)
			sum += price;
	}
	printf("sold for %d\n", sum);
	return 0;
}
