// What the agent can do: three tools over a small, fixed catalogue. The last one stops for a human.

import { tool } from "@langchain/core/tools";
import { interrupt } from "@langchain/langgraph";
import { z } from "zod";

const AIRLINES = ["TAP", "Iberia", "Lufthansa", "Air France", "Vueling", "KLM"];
const QUARTERS = ["Alfama", "Baixa", "Belem", "Chiado", "Graca", "Estrela"];

function flightsTo(city) {
  return Array.from({ length: 96 }, (_, index) => ({
    id: `F${100 + index}`,
    airline: AIRLINES[index % AIRLINES.length],
    to: city,
    departs: `2027-05-${String(3 + (index % 7)).padStart(2, "0")}T${6 + (index % 14)}:25`,
    stops: index % 3,
    price: 118 + ((91 + index * 47) % 230),
  }));
}

function hotelsIn(city) {
  return Array.from({ length: 96 }, (_, index) => ({
    id: `H${200 + index}`,
    name: `Casa ${QUARTERS[index % QUARTERS.length]} ${index + 1}`,
    city,
    metresToRiver: 90 + ((600 + index * 137) % 1400),
    perNight: 74 + ((52 + index * 31) % 140),
  }));
}

const searchFlights = tool(async ({ city }) => JSON.stringify(flightsTo(city)), {
  name: "search_flights",
  description: "Finds flights to a city.",
  schema: z.object({ city: z.string() }),
});

const searchHotels = tool(async ({ city }) => JSON.stringify(hotelsIn(city)), {
  name: "search_hotels",
  description: "Finds hotels in a city.",
  schema: z.object({ city: z.string() }),
});

const bookTrip = tool(
  async ({ flight, hotel, total }) => {
    const decision = interrupt({
      question: `Book ${flight} and ${hotel} for ${total} EUR?`,
      total,
    });
    if (!decision.approved) return `Not booked: ${decision.reason}`;
    return `Booked ${flight} and ${hotel}. Confirmation LIS-${total}, approved by ${decision.by}.`;
  },
  {
    name: "book_trip",
    description: "Books a flight and a hotel. Needs a human's approval.",
    schema: z.object({ flight: z.string(), hotel: z.string(), total: z.number() }),
  },
);

export const tools = [searchFlights, searchHotels, bookTrip];
